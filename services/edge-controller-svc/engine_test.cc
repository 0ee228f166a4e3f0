// Objects down, reports up, and hubs that are lost.
#include "services/edge-controller-svc/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/edge-controller-svc/engine_fixture.h"

namespace skerry::edgecontroller {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(EngineTest, RegistersItsTypes) {
  StartAttached();
  EXPECT_EQ(hub_->registration().spoke(), "edge-controller-svc/test");
  EXPECT_THAT(hub_->registration().resource_types(),
              ElementsAre("pods", "configmaps", "secrets", "serviceaccounts", "nodes"));
  EXPECT_THAT(hub_->registration().report_types(), ElementsAre("pods", "nodes"));
}

TEST_F(EngineTest, NodeGetsItsPodsAndTheirReferencesAndNoOthers) {
  api_.Put(kubeclient::Pods(), Pod("mine", "edge-1", "cm"));
  api_.Put(kubeclient::Pods(), Pod("other", "edge-2", "secret-of-2"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("secret-of-2"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("unused"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "configmaps", 1);
  hub_->Subscribe("edge-1", 1, "pods", 2);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps synced"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 configmaps + ns/cm", "edge-1 configmaps synced",
                                        "edge-1 pods + ns/mine", "edge-1 pods synced"));
  EXPECT_THAT(hub_->Pushed("edge-1", "pods", "ns/mine"), Not(HasSubstr("managedFields")));
}

TEST_F(EngineTest, ReconnectedNodeGetsDifferencesOnly) {
  api_.Put(kubeclient::Pods(), Pod("same", "edge-1"));
  api_.Put(kubeclient::Pods(), Pod("newer", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1,
                  {{"ns/same", VersionOfPeek(api_, kubeclient::Pods(), "ns/same")},
                   {"ns/newer", "uid-2/1"},
                   {"ns/deleted-meanwhile", "uid-9/1"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 pods - ns/deleted-meanwhile",
                                        "edge-1 pods + ns/newer", "edge-1 pods synced"));
}

// The box must not lose its pods because a cache was not filled yet.
TEST_F(EngineTest, AttachesOnlyWhenAllCachesAreWhole) {
  absl::Mutex mutex;
  bool secrets_up = false;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    if (verb == "LIST" && resource.plural == "secrets" && !secrets_up)
      return absl::UnavailableError("down");
    return absl::OkStatus();
  });
  Start();
  EXPECT_FALSE(hub_->AwaitAttached(absl::Milliseconds(500)));
  {
    absl::MutexLock lock(&mutex);
    secrets_up = true;
  }
  EXPECT_TRUE(hub_->AwaitAttached());
}

TEST_F(EngineTest, FollowsChangesOfPodsAndConfigMaps) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "configmaps", 1);
  hub_->Subscribe("edge-1", 1, "pods", 2);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1", "cm"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods + ns/p")) << "also while its ConfigMap is missing";
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm", "1"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps + ns/cm"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm", "2"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps + ns/cm", 2));
  EXPECT_THAT(hub_->Pushed("edge-1", "configmaps", "ns/cm"), HasSubstr(R"("v":"2")"));
  api_.Remove(kubeclient::Pods(), "ns", "p");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods - ns/p"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps - ns/cm"));
  const std::vector<std::string> said = hub_->Said();
  EXPECT_LT(std::find(said.begin(), said.end(), "edge-1 pods - ns/p"),
            std::find(said.begin(), said.end(), "edge-1 configmaps - ns/cm"))
      << "the pod goes before what it uses";
}

TEST_F(EngineTest, FrameOfAFencedSessionIsDropped) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 2);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  hub_->ReportPod("edge-1", 1, 5, "ns/p", "uid-1", R"({"phase":"Failed"})");
  hub_->ReportPod("edge-1", 2, 6, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 6 OK"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 done 6 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Running");
}

TEST_F(EngineTest, PodStatusReachesKubernetes) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running","podIP":"10.0.0.9"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["podIP"], "10.0.0.9");
}

TEST_F(EngineTest, ReportOfAnotherNodesPodIsRefused) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-2"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Failed"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 PERMISSION_DENIED"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Pending");
}

TEST_F(EngineTest, ConflictsAreRetriedWithWhatIsThere) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  absl::Mutex mutex;
  int conflicts = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource&,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    return verb == "PATCH" && ++conflicts <= 2 ? absl::AbortedError("conflict") : absl::OkStatus();
  });
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Running");
}

TEST_F(EngineTest, ReportWaitsForTheApiServer) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  absl::Mutex mutex;
  int failures = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource&,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    return verb == "PATCH" && ++failures <= 4 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
}

TEST_F(EngineTest, GracefulDeletionEndsWhenTheEdgeSaysGone) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  ASSERT_TRUE(api_.Delete(kubeclient::Pods(), "ns", "p", {}).ok());
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods + ns/p", 2));
  EXPECT_THAT(hub_->Pushed("edge-1", "pods", "ns/p"), HasSubstr("deletionTimestamp"));
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_TRUE(api_.Peek(kubeclient::Pods(), "ns/p").has_value()) << "containers still run";
  hub_->ReportPod("edge-1", 1, 2, "ns/p", "uid-1", R"({"phase":"Succeeded"})", /*gone=*/true);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_FALSE(api_.Peek(kubeclient::Pods(), "ns/p").has_value());
  EXPECT_TRUE(hub_->AwaitSaid("edge-1 pods - ns/p"));
}

TEST_F(EngineTest, LateReportDoesNotBringADeletedPodBack) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_FALSE(api_.Peek(kubeclient::Pods(), "ns/p").has_value());
}

TEST_F(EngineTest, MalformedReportsAreAnsweredSoThatTheJournalGoesOn) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  cloudhub::v1::HubFrame frame;
  auto* report = frame.mutable_report();
  report->mutable_session()->set_node("edge-1");
  report->mutable_session()->set_epoch(1);
  report->mutable_report()->set_sequence(1);
  report->mutable_report()->set_type("pods");
  report->mutable_report()->set_key("ns/p");
  report->mutable_report()->set_value("\xff\xff garbage");
  hub_->Send(frame);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 INVALID_ARGUMENT"));
  report->mutable_report()->set_sequence(2);
  report->mutable_report()->set_type("gadgets");
  hub_->Send(frame);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 UNIMPLEMENTED"));
}

TEST_F(EngineTest, AfterALostHubEverythingIsDerivedAnew) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  hub_->Cut();
  ASSERT_TRUE(hub_->AwaitAttached());
  EXPECT_EQ(hub_->attachments(), 2);
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1,
                  {{"ns/p", VersionOfPeek(api_, kubeclient::Pods(), "ns/p")}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced", 2));
  EXPECT_EQ(hub_->Said().size(), 3u) << "the pod is not sent again";
}

TEST_F(EngineTest, HoldingsMayComeInParts) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 7, {{"ns/a", "u/1"}}, /*more=*/true);
  hub_->Subscribe("edge-1", 1, "pods", 7, {{"ns/b", "u/1"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(),
              ElementsAre("edge-1 pods - ns/a", "edge-1 pods - ns/b", "edge-1 pods synced"));
}

TEST_F(EngineTest, RefusedObjectShowsAsAnEvent) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  cloudhub::v1::HubFrame frame;
  auto* done = frame.mutable_push_done();
  done->mutable_session()->set_node("edge-1");
  done->mutable_session()->set_epoch(1);
  done->set_type("pods");
  done->set_subscription_id(1);
  auto* item = done->add_items();
  item->set_key("ns/p");
  item->mutable_status()->set_code(3);
  item->mutable_status()->set_message("no such runtime class");
  hub_->Send(frame);
  hub_->Send(frame);
  const auto find = [&](const std::string& want_count) {
    auto list = api_.List(kubeclient::Events(), "ns", {});
    for (const KubeObject& event : list->items) {
      const json e = event.Json();
      if (e["involvedObject"]["name"] == "p" && e["reason"] == "RejectedByEdge" &&
          e["count"].dump() == want_count)
        return true;
    }
    return false;
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!find("2") && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(find("2"));
}

TEST_F(EngineTest, NodeWithVeryMuchToSendDelaysNoOther) {
  const std::string big(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    api_.Put(kubeclient::Pods(), Pod(absl::StrCat("p", i), "big", absl::StrCat("cm", i)));
    api_.Put(kubeclient::ConfigMaps(), ConfigMap(absl::StrCat("cm", i), big));
  }
  api_.Put(kubeclient::Pods(), Pod("small", "small"));
  StartAttached();
  hub_->Connect("big", 1);
  hub_->Connect("small", 1);
  hub_->Subscribe("big", 1, "configmaps", 1);
  hub_->Subscribe("small", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("big configmaps synced"));
  const std::vector<std::string> said = hub_->Said();
  const auto small = std::find(said.begin(), said.end(), "small pods synced");
  ASSERT_NE(small, said.end());
  EXPECT_LT(small - said.begin(), 60);
}

// ec-2.3: an object of 200 kB is worth three turns of others.
TEST_F(EngineTest, NodesTakeTurnsByBytes) {
  const std::string big(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    api_.Put(kubeclient::Pods(), Pod(absl::StrCat("p", i), "big", absl::StrCat("cm", i)));
    api_.Put(kubeclient::ConfigMaps(), ConfigMap(absl::StrCat("cm", i), big));
  }
  for (int i = 0; i < 30; ++i) api_.Put(kubeclient::Pods(), Pod(absl::StrCat("s", i), "small"));
  StartAttached();
  hub_->Connect("big", 1);
  hub_->Connect("small", 1);
  hub_->Subscribe("big", 1, "configmaps", 1);
  hub_->Subscribe("small", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("big configmaps synced"));
  ASSERT_TRUE(hub_->AwaitSaid("small pods synced"));
  const std::vector<std::string> said = hub_->Said();
  const auto of_small = [](const std::string& line) { return line.rfind("small ", 0) == 0; };
  const auto first = std::find_if(said.begin(), said.end(), of_small);
  const auto last = std::find(said.begin(), said.end(), "small pods synced");
  EXPECT_LE(std::count_if(first, last, [&](const std::string& line) { return !of_small(line); }),
            11);
}

}  // namespace
}  // namespace skerry::edgecontroller
