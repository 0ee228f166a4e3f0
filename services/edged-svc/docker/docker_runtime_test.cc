// DockerRuntime on a real Docker Engine. Tagged "local": it needs root and namespaces.
#include "services/edged-svc/docker/docker_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "services/edged-svc/testing/private_dockerd.h"
#include "services/edged-svc/testing/runtime_contract.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {
namespace {

using State = ContainerView::State;
using ::testing::Contains;

std::unique_ptr<PrivateDockerd> dockerd;
SystemClock& TheClock() {
  static SystemClock clock;
  return clock;
}

class DockerEnvironment : public ::testing::Environment {
 public:
  void SetUp() override { dockerd = std::make_unique<PrivateDockerd>(); }
  void TearDown() override { dockerd.reset(); }
};

std::unique_ptr<DockerRuntime> Open(const std::string& owner = "edged-svc",
                                    const std::string& pulled_images_path = "") {
  absl::StatusOr<std::unique_ptr<DockerRuntime>> runtime =
      DockerRuntime::Create({.endpoint = dockerd->endpoint(),
                             .owner = owner,
                             .sandbox_image = PrivateDockerd::sandbox_image(),
                             .restrict_oom_score_adj = true,
                             .pulled_images_path = pulled_images_path},
                            TheClock(), log::Logger::Null());
  EXPECT_TRUE(runtime.ok()) << runtime.status();
  return *std::move(runtime);
}

RuntimeUnderTest Make() {
  return {Open(), PrivateDockerd::image(), dockerd->folder() + "/test", dockerd->cgroup()};
}

INSTANTIATE_TEST_SUITE_P(Docker, RuntimeContractTest, ::testing::Values(Make));
const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new DockerEnvironment);

// A pod with one container that the tests below look at.
class DockerPod {
 public:
  DockerPod(const std::string& name, const std::string& script) : runtime_(Open(name)) {
    sandbox_.name_space = "ns";
    sandbox_.name = sandbox_.hostname = sandbox_.uid = name;
    sandbox_.log_folder = dockerd->folder() + "/pod-logs/" + name;
    sandbox_.cgroup_parent = dockerd->cgroup();
    std::filesystem::create_directories(sandbox_.log_folder + "/c");
    const auto id = runtime_->RunSandbox(sandbox_);
    EXPECT_TRUE(id.ok()) << id.status();
    sandbox_id_ = *id;
    config_.name = "c";
    config_.image = config_.image_id = PrivateDockerd::image();
    config_.command = {"sh", "-c", script};
    config_.log_path = "c/0.log";
    const auto container = runtime_->CreateContainer(sandbox_id_, sandbox_, config_);
    EXPECT_TRUE(container.ok()) << container.status();
    container_id_ = *container;
    const absl::Status started = runtime_->StartContainer(container_id_);
    EXPECT_TRUE(started.ok()) << started;
  }
  ~DockerPod() { EXPECT_TRUE(runtime_->RemoveSandbox(sandbox_id_).ok()); }

  // As a restart of edged-svc.
  void Reopen() {
    runtime_.reset();
    runtime_ = Open(sandbox_.name);
  }
  DockerRuntime& runtime() { return *runtime_; }
  const std::string& sandbox_id() const { return sandbox_id_; }
  const std::string& container_id() const { return container_id_; }
  std::string Log() const {
    std::ifstream in(sandbox_.log_folder + "/c/0.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Lists until the log has `text`, for up to 20 s.
  bool AwaitLog(const std::string& text) {
    for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;
         absl::SleepFor(absl::Milliseconds(20))) {  // NOLINT(test-sleeps): polls
      (void)runtime_->ListPods();
      if (absl::StrContains(Log(), text)) return true;
    }
    return false;
  }

 private:
  std::unique_ptr<DockerRuntime> runtime_;
  SandboxConfig sandbox_;
  ContainerConfig config_;
  std::string sandbox_id_, container_id_;
};

std::vector<std::string> Texts(const std::string& log) {
  std::vector<std::string> out;
  for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipEmpty()))
    out.emplace_back(line.substr(line.find(" F ") + 3));
  return out;
}

TEST(DockerRuntimeTest, IsTheEngineThatItIsToBeTestedOn) {
  const char* debian = std::getenv("SKERRY_RUNTIME_DEBIAN");
  const auto status = Open()->Status();
  ASSERT_TRUE(status.ok()) << status.status();
  if (debian != nullptr) {
    EXPECT_TRUE(absl::StartsWith(status->version, "26.")) << status->version;
  }
}

TEST(DockerRuntimeTest, SeesOnlyItsOwnPods) {
  DockerPod pod("mine", "exec sleep 1000");
  EXPECT_EQ(pod.runtime().ListPods()->size(), 1u);
  EXPECT_EQ(Open("other")->ListPods()->size(), 0u);
}

// [edged-10.2]
TEST(DockerRuntimeTest, LogsGoOnAfterARestartWithNothingTwice) {
  DockerPod pod("resume", "i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done");
  for (const char* text : {" F 20\n", " F 60\n", " F 100\n"}) {
    ASSERT_TRUE(pod.AwaitLog(text));
    pod.Reopen();
  }
  ASSERT_TRUE(pod.AwaitLog(" F 140\n"));
  const std::vector<std::string> texts = Texts(pod.Log());
  for (size_t i = 0; i < 140; ++i) EXPECT_EQ(texts[i], absl::StrCat(i));
}

TEST(DockerRuntimeTest, ALogThatEndedWhileNobodyCopiedIsFinished) {
  DockerPod pod("late", "echo first; while [ ! -e /tmp/go ]; do sleep 0.02; done; echo last");
  ASSERT_TRUE(pod.AwaitLog(" F first\n"));
  std::promise<void> ran;
  pod.runtime().Exec(pod.container_id(), {"touch", "/tmp/go"}, absl::Seconds(10),
                     [&](const absl::StatusOr<ExecResult>&) { ran.set_value(); });
  ran.get_future().wait();
  pod.Reopen();
  EXPECT_TRUE(pod.AwaitLog(" F last\n"));
  EXPECT_EQ(Texts(pod.Log()), (std::vector<std::string>{"first", "last"}));
}

// Both streams at once, and lines in parts: an end is a resumption, too.
TEST(DockerRuntimeTest, BothStreamsAreCopiedOnceWhereverTheCopyIsResumed) {
  DockerPod pod("both",
                "(i=0; while [ $i -lt 150 ]; do echo e$i >&2; i=$((i+1)); sleep 0.01; done) & "
                "i=0; while [ $i -lt 150 ]; do echo o$i; i=$((i+1)); sleep 0.01; "
                "[ $i = 60 ] && { head -c 70000 /dev/zero | tr '\\0' x; echo; }; done; wait; "
                "head -c 70000 /dev/zero | tr '\\0' y; echo; echo last >&2");
  for (const char* text : {" F o30\n", " F o90\n"}) {
    ASSERT_TRUE(pod.AwaitLog(text));
    pod.Reopen();
  }
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(20))) {  // NOLINT(test-sleeps): polls
    const auto pods = pod.runtime().ListPods();
    if (pods.ok() && !pods->empty() && (*pods)[0].containers[0].state == State::kExited) break;
  }
  std::map<std::string, int> lines;
  size_t xs = 0, ys = 0;
  for (const absl::string_view line : absl::StrSplit(pod.Log(), '\n', absl::SkipEmpty())) {
    const absl::string_view text = line.substr(line.find(' ', line.find(' ') + 1) + 3);
    if (text.size() < 10) {
      ++lines[std::string(text)];
    }
    xs += static_cast<size_t>(std::count(text.begin(), text.end(), 'x'));
    ys += static_cast<size_t>(std::count(text.begin(), text.end(), 'y'));
  }
  EXPECT_EQ(xs, 70000u);
  EXPECT_EQ(ys, 70000u);
  EXPECT_EQ(lines["last"], 1);
  for (int i = 0; i < 150; ++i) {
    EXPECT_EQ(lines[absl::StrCat("o", i)] + lines[absl::StrCat("e", i)], 2) << i;
  }
}

// Its output has ended, it has not: the answer is being asked for.
TEST(DockerRuntimeTest, ACommandThatClosedItsOutputIsTold) {
  DockerPod pod("closed", "exec sleep 1000");
  std::promise<absl::Status> exec;
  auto runtime = Open("closed");
  runtime->Exec(pod.container_id(), {"sh", "-c", "touch /tmp/runs; exec >&- 2>&-; exec sleep 1000"},
                absl::Minutes(10),
                [&](absl::StatusOr<ExecResult> result) { exec.set_value(result.status()); });
  const auto runs = [&] {
    std::promise<absl::StatusOr<ExecResult>> seen;
    pod.runtime().Exec(pod.container_id(), {"test", "-e", "/tmp/runs"}, absl::Seconds(10),
                       [&](absl::StatusOr<ExecResult> result) { seen.set_value(result); });
    const auto result = seen.get_future().get();
    return result.ok() && result->exit_code == 0;
  };
  while (!runs()) {
  }
  runtime.reset();
  EXPECT_EQ(exec.get_future().get().code(), absl::StatusCode::kCancelled);
}

// [edged-10.4]
TEST(DockerRuntimeTest, ACommandThatRunsOutOfTimeIsKilled) {
  DockerPod pod("late-exec", "exec sleep 1000");
  std::promise<absl::Status> exec;
  pod.runtime().Exec(pod.container_id(), {"sleep", "4711"}, absl::Milliseconds(500),
                     [&](absl::StatusOr<ExecResult> result) { exec.set_value(result.status()); });
  EXPECT_EQ(exec.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
  const auto sees = [&] {
    std::promise<absl::StatusOr<ExecResult>> seen;
    pod.runtime().Exec(pod.container_id(), {"sh", "-c", "ps | grep '[4]711'"}, absl::Seconds(10),
                       [&](absl::StatusOr<ExecResult> result) { seen.set_value(result); });
    const auto result = seen.get_future().get();
    return result.ok() && result->exit_code == 0;
  };
  bool there = true;
  for (int i = 0; i < 100 && there; ++i) there = sees();
  EXPECT_FALSE(there);
}

TEST(DockerRuntimeTest, ANameIsNotTheBeginningOfAnId) {
  const auto runtime = Open();
  const auto image = runtime->FindImage(PrivateDockerd::image());
  ASSERT_TRUE(image.ok() && image->has_value());
  const std::string id = (*image)->id;
  const auto by_id = runtime->FindImage(id);
  ASSERT_TRUE(by_id.ok()) << by_id.status();
  EXPECT_TRUE(by_id->has_value());
  const auto by_beginning = runtime->FindImage(id.substr(7, 12));
  ASSERT_TRUE(by_beginning.ok()) << by_beginning.status();
  EXPECT_FALSE(by_beginning->has_value());
}

// [edged-10.3]
TEST(DockerRuntimeTest, APodOutlivesThePowersEnd) {
  DockerPod pod("power", "echo here; exec sleep 1000");
  ASSERT_TRUE(pod.AwaitLog(" F here\n"));
  dockerd->PowerCycle();
  absl::StatusOr<std::vector<PodView>> pods;
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(20))) {  // NOLINT(test-sleeps): polls
    pods = pod.runtime().ListPods();
    ASSERT_TRUE(pods.ok()) << pods.status();
    ASSERT_EQ(pods->size(), 1u);
    EXPECT_EQ((*pods)[0].ReadySandbox(), nullptr);
    if ((*pods)[0].containers[0].state == State::kExited) break;  // Its log is whole.
  }
  EXPECT_EQ((*pods)[0].containers[0].state, State::kExited);
  EXPECT_EQ(Texts(pod.Log()), std::vector<std::string>{"here"});
}

// A name that is taken by what a lost answer has left behind.
TEST(DockerRuntimeTest, WhatWasMadeButNotHeardOfIsReplaced) {
  DockerPod pod("again", "exec sleep 1000");
  SandboxConfig sandbox;
  sandbox.name_space = "ns";
  sandbox.name = sandbox.hostname = sandbox.uid = "again";
  sandbox.log_folder = dockerd->folder() + "/pod-logs/again";
  sandbox.cgroup_parent = dockerd->cgroup();
  ContainerConfig config;
  config.name = "d";
  config.image = config.image_id = PrivateDockerd::image();
  config.command = {"sleep", "1000"};
  config.log_path = "c/1.log";
  const auto first = pod.runtime().CreateContainer(pod.sandbox_id(), sandbox, config);
  const auto second = pod.runtime().CreateContainer(pod.sandbox_id(), sandbox, config);
  ASSERT_TRUE(first.ok() && second.ok()) << second.status();
  EXPECT_NE(*first, *second);
  ASSERT_TRUE(pod.runtime().StartContainer(*second).ok());
  EXPECT_EQ(pod.runtime().CreateContainer(pod.sandbox_id(), sandbox, config).status().code(),
            absl::StatusCode::kAborted);  // It runs: the next list tells of it.
}

StoredImage FindStored(DockerRuntime& runtime, const std::string& name) {
  const auto images = runtime.ListImages();
  EXPECT_TRUE(images.ok()) << images.status();
  for (const StoredImage& image : *images) {
    if (std::count(image.names.begin(), image.names.end(), name) > 0) return image;
  }
  ADD_FAILURE() << name << " is not there";
  return StoredImage();
}

// [edged-6.2]
TEST(DockerRuntimeTest, KnowsWhichImagesAreNeeded) {
  dockerd->Tag(PrivateDockerd::image(), "skerry.local/other", "2");
  const auto runtime = Open("images");
  const auto find = [&](const std::string& name) { return FindStored(*runtime, name); };
  {
    DockerPod pod("user", "exec sleep 1000");
    const StoredImage used = find(PrivateDockerd::image());
    EXPECT_TRUE(used.used);
    EXPECT_FALSE(used.pinned);
    EXPECT_GT(used.size_bytes, 100'000);
    EXPECT_THAT(used.names, Contains("skerry.local/other:2"));
    EXPECT_FALSE(runtime->RemoveImage(used.id).ok());
    EXPECT_THAT(find(PrivateDockerd::image()).names, Contains("skerry.local/other:2"));
  }
  EXPECT_TRUE(find(PrivateDockerd::sandbox_image()).pinned);
}

absl::Status Pull(DockerRuntime& runtime, const std::string& name) {
  std::promise<absl::Status> done;
  runtime.PullImage(name, {}, [&](absl::Status status) { done.set_value(status); });
  return done.get_future().get();
}

// [edged-10.8]
TEST(DockerRuntimeTest, OnlyWhatItHasPulledIsItsToRemove) {
  const std::string image = dockerd->Publish("team/app:1"), path = dockerd->folder() + "/pulled";
  auto runtime = Open("pulls", path);
  EXPECT_TRUE(FindStored(*runtime, PrivateDockerd::image()).foreign);
  ASSERT_TRUE(Pull(*runtime, image).ok());
  EXPECT_FALSE(FindStored(*runtime, image).foreign);
  runtime = Open("pulls", path);
  EXPECT_FALSE(FindStored(*runtime, image).foreign);

  // Somebody gives it a name of theirs, and takes that away again.
  dockerd->Tag(image, "skerry.local/mine", "1");
  const StoredImage shared = FindStored(*runtime, image);
  EXPECT_TRUE(shared.foreign);
  EXPECT_EQ(runtime->RemoveImage(shared.id).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(dockerd->HasImage(image));
  dockerd->Untag("skerry.local/mine:1");
  const absl::Status removed = runtime->RemoveImage(shared.id);
  EXPECT_TRUE(removed.ok()) << removed;
  EXPECT_FALSE(dockerd->HasImage(image));
  EXPECT_TRUE(runtime->ListImages().ok());  // Forgets it.

  // Somebody pulls it; a pod's pull then brings nothing.
  dockerd->Pull(image);
  ASSERT_TRUE(Pull(*runtime, image).ok());
  EXPECT_TRUE(FindStored(*runtime, image).foreign);
  EXPECT_EQ(runtime->RemoveImage(shared.id).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(DockerRuntimeTest, DestructionEndsWhatIsInFlight) {
  DockerPod pod("flight", "trap '' TERM; while true; do sleep 0.05; done");
  std::promise<absl::Status> exec, stop;
  auto runtime = Open("flight");
  runtime->Exec(pod.container_id(), {"sleep", "1000"}, absl::Minutes(10),
                [&](absl::StatusOr<ExecResult> result) { exec.set_value(result.status()); });
  runtime->StopContainer(pod.container_id(), absl::Minutes(10),
                         [&](absl::Status status) { stop.set_value(status); });
  runtime.reset();
  EXPECT_EQ(exec.get_future().get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(stop.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST(DockerRuntimeTest, NobodyThereIsUnavailable) {
  const auto runtime = DockerRuntime::Create({.endpoint = "unix:///tmp/no-such-docker.sock"},
                                             TheClock(), log::Logger::Null());
  ASSERT_TRUE(runtime.ok());
  EXPECT_EQ((*runtime)->Status().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ((*runtime)->ListPods().status().code(), absl::StatusCode::kUnavailable);
}

TEST(DockerRuntimeTest, OnlyUnixSockets) {
  for (const char* endpoint : {"10.0.0.1:2375", "tcp://10.0.0.1:2375", "unix://relative", ""}) {
    EXPECT_EQ(DockerRuntime::Create({.endpoint = endpoint}, TheClock(), log::Logger::Null())
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << endpoint;
  }
}

}  // namespace
}  // namespace skerry::edged
