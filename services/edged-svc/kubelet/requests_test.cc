// What requests mean for a pod: which log, which stream; and how their heads are read.
#include <gtest/gtest.h>

#include "services/edged-svc/kubelet/log_source.h"
#include "services/edged-svc/kubelet/request_head.h"
#include "services/edged-svc/kubelet/stream_request.h"

namespace skerry::edged {
namespace {

PodManager::PodState Pod(std::vector<ContainerView> views) {
  PodSpec spec;
  spec.name_space = "ns";
  spec.name = "web";
  spec.uid = "u1";
  spec.containers.emplace_back();
  spec.containers.back().name = "app";
  PodManager::PodState pod;
  pod.pod = std::make_shared<const PodSpec>(std::move(spec));
  pod.view.containers = std::move(views);
  pod.view.sandboxes = {{.id = "sandbox", .ready = true}};
  return pod;
}

ContainerView Start(const std::string& id, int32_t restart, ContainerView::State state) {
  ContainerView view;
  view.id = id;
  view.sandbox_id = "sandbox";
  view.name = "app";
  view.restart_count = restart;
  view.state = state;
  return view;
}

using State = ContainerView::State;

TEST(FindLogTest, TakesTheNewestStartThatWroteSomething) {
  const auto pod = Pod({Start("c1", 1, State::kRunning), Start("c0", 0, State::kExited)});
  EXPECT_EQ(FindLog(pod, "app", false)->container_id, "c1");
  EXPECT_EQ(FindLog(pod, "app", true)->container_id, "c0");
  EXPECT_EQ(FindLog(pod, "app", true)->restart, 0);
  EXPECT_EQ(
      FindLog(Pod({Start("c1", 1, State::kCreated), Start("c0", 0, State::kExited)}), "app", false)
          ->container_id,
      "c0");
  EXPECT_TRUE(IsRunning(pod, "c1"));
  EXPECT_FALSE(IsRunning(pod, "c0"));
  EXPECT_FALSE(IsRunning(pod, "other"));
}

TEST(FindLogTest, OneThatWaitsForItsNextStartHasItsLastBehindIt) {
  auto pod = Pod({Start("c1", 1, State::kExited), Start("c0", 0, State::kExited)});
  EXPECT_EQ(FindLog(pod, "app", true)->container_id, "c0");
  pod.status.containers.emplace_back();
  pod.status.containers.back().name = "app";
  pod.status.containers.back().state.kind = ContainerState::Kind::kWaiting;
  pod.status.containers.back().state.reason = "CrashLoopBackOff";
  EXPECT_EQ(FindLog(pod, "app", true)->container_id, "c1");
  EXPECT_EQ(FindLog(pod, "app", false)->container_id, "c1");
}

TEST(FindLogTest, SaysWhyThereIsNoneInTheKubeletsWords) {
  EXPECT_EQ(FindLog(Pod({}), "no", false).status().message(),
            "container \"no\" not found in pod \"web\"\n");
  EXPECT_EQ(FindLog(Pod({}), "app", false).status().message(),
            "container \"app\" in pod \"web\" is waiting to start: ContainerCreating");
  auto pulling = Pod({});
  pulling.status.containers.emplace_back();
  pulling.status.containers.back().name = "app";
  pulling.status.containers.back().state.kind = ContainerState::Kind::kWaiting;
  pulling.status.containers.back().state.reason = "ImagePullBackOff";
  EXPECT_EQ(
      FindLog(pulling, "app", false).status().message(),
      "container \"app\" in pod \"web\" is waiting to start: trying and failing to pull image");
  EXPECT_EQ(FindLog(Pod({Start("c0", 0, State::kRunning)}), "app", true).status().message(),
            "previous terminated container \"app\" in pod \"web\" not found");
}

RequestHead Head(const std::string& target) {
  HeadReader reader;
  auto head = reader.Put("POST " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.ok() && head->has_value());
  return **head;
}

TEST(StreamRequestTest, ReadsExec) {
  const auto pod = Pod({Start("c0", 0, State::kRunning)});
  auto request = MakeStreamRequest(
      Head("/exec/ns/web/app?command=sh&command=-c&input=1&output=1&error=1&tty=1"),
      {"exec", "ns", "web", "app"}, pod);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->id, "c0");
  EXPECT_EQ(request->command, (std::vector<std::string>{"sh", "-c"}));
  EXPECT_TRUE(request->in && request->out && request->tty);
  EXPECT_FALSE(request->err);
  request =
      MakeStreamRequest(Head("/attach/ns/web/app?error=1"), {"attach", "ns", "web", "app"}, pod);
  EXPECT_TRUE(request->err && request->kind == StreamRequest::Kind::kAttach);
}

TEST(StreamRequestTest, ReadsPorts) {
  const auto pod = Pod({});
  auto request = MakeStreamRequest(Head("/portForward/ns/web?port=80&port=443"),
                                   {"portForward", "ns", "web"}, pod);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->id, "sandbox");
  EXPECT_EQ(request->ports, (std::vector<int32_t>{80, 443}));
  EXPECT_TRUE(absl::IsInvalidArgument(
      MakeStreamRequest(Head("/portForward/ns/web?port=x"), {"portForward", "ns", "web"}, pod)
          .status()));
}

TEST(StreamRequestTest, SaysWhatIsWrongInTheKubeletsWords) {
  const auto pod = Pod({Start("c0", 0, State::kRunning)});
  EXPECT_EQ(MakeStreamRequest(Head("/exec/ns/web/no?output=1"), {"exec", "ns", "web", "no"}, pod)
                .status()
                .message(),
            "container not found (\"no\")");
  EXPECT_EQ(MakeStreamRequest(Head("/exec/ns/web/app"), {"exec", "ns", "web", "app"}, pod)
                .status()
                .message(),
            "you must specify at least 1 of stdin, stdout, stderr");
  EXPECT_EQ(MakeStreamRequest(Head("/exec/ns/web/u2/app?output=1"),
                              {"exec", "ns", "web", "u2", "app"}, pod)
                .status()
                .message(),
            "pod does not exist");
}

TEST(HeadReaderTest, ReadsAHeadThatComesInPieces) {
  HeadReader reader;
  EXPECT_FALSE(reader.Put("GET /containerLogs/ns/we")->has_value());
  EXPECT_FALSE(reader.Put("b/app?follow=true HTTP/1.1\r\nHost: x\r\nUpgrade: a\r\n")->has_value());
  auto head = reader.Put("Upgrade: b\r\n\r\nrest");
  ASSERT_TRUE(head.ok() && head->has_value());
  EXPECT_EQ((*head)->path, "/containerLogs/ns/web/app");
  EXPECT_EQ((*head)->Query("follow"), "true");
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_EQ(RenderRequest(**head, "/exec/token", "127.0.0.1:80"),
            "GET /exec/token HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n");
}

TEST(HeadReaderTest, RefusesWhatIsNone) {
  EXPECT_FALSE(HeadReader().Put("hello\r\n\r\n").ok());
  EXPECT_FALSE(HeadReader().Put("GET nopath HTTP/1.1\r\nHost: x\r\n\r\n").ok());
  EXPECT_FALSE(HeadReader().Put("GET / HTTP/1.1\r\nX: " + std::string(70000, 'x')).ok());
}

}  // namespace
}  // namespace skerry::edged
