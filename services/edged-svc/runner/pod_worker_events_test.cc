// What a worker tells people: the kubelet's events. Cites [edged-8.x].
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "services/edged-svc/core/spec_hash.h"
#include "services/edged-svc/runner/pod_worker_fixture.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Does what it is told as the test says; the test lays out what runs.
class ScriptedRuntime final : public FakeRuntime {
 public:
  absl::StatusOr<std::optional<ImageView>> image = std::optional<ImageView>(ImageView{.id = "i"});
  absl::Status created, started, sandbox;
  Done pulled;

  absl::StatusOr<std::optional<ImageView>> FindImage(absl::string_view) override { return image; }
  void PullImage(absl::string_view, std::vector<RegistryAuth>, Done done) override {
    pulled = std::move(done);
  }
  absl::StatusOr<std::string> CreateContainer(absl::string_view, const SandboxConfig&,
                                              const ContainerConfig&) override {
    if (!created.ok()) return created;
    return std::string("c0");
  }
  absl::Status StartContainer(absl::string_view) override { return started; }
  absl::StatusOr<std::string> RunSandbox(const SandboxConfig&) override {
    if (!sandbox.ok()) return sandbox;
    return std::string("s0");
  }
  absl::Status StopSandbox(absl::string_view) override { return absl::OkStatus(); }
  void StopContainer(absl::string_view, absl::Duration, Done) override {}
};

class PodWorkerEventsTest : public PodWorkerFixture<ScriptedRuntime> {
 protected:
  PodWorkerEventsTest() {
    pod_.containers[0].image = "box:1";
    pod_.containers[0].pull_policy = "IfNotPresent";
  }

  void Container(ContainerView::State state, int32_t restarts = 0) {
    input_.view.containers = {{.id = "c0",
                               .sandbox_id = "s0",
                               .name = "c",
                               .restart_count = restarts,
                               .state = state,
                               .spec_hash = SpecHash(pod_.containers[0]),
                               .started = clock_.Now(),
                               .finished = clock_.Now(),
                               .exit_code = 1}};
  }
  std::vector<std::string> Told() { return events_.Take(); }
};

// [edged-8.1]
TEST_F(PodWorkerEventsTest, TellsOfAPullAndAStart) {
  pod_.containers[0].pull_policy = "Always";
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulling of spec.containers{c}: Pulling image \"box:1\""));
  clock_.Advance(absl::Milliseconds(1500));
  std::move(runtime_.pulled)(absl::OkStatus());
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulled of spec.containers{c}: Successfully pulled image "
                                  "\"box:1\" in 1.5s (1.5s including waiting)",
                                  "Created of spec.containers{c}: Created container: c",
                                  "Started of spec.containers{c}: Started container c"));
}

TEST_F(PodWorkerEventsTest, AnImageThatIsThereIsNotPulled) {
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulled of spec.containers{c}: Container image \"box:1\" already "
                                  "present on machine",
                                  "Created of spec.containers{c}: Created container: c",
                                  "Started of spec.containers{c}: Started container c"));
}

// [edged-8.1] Once for each attempt, however often the pod is looked at.
TEST_F(PodWorkerEventsTest, AnImageThatCannotBePulledBacksOff) {
  runtime_.image = std::optional<ImageView>();
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulling of spec.containers{c}: Pulling image \"box:1\""));
  std::move(runtime_.pulled)(absl::NotFoundError("no such image"));
  Step();
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("Warning Failed of spec.containers{c}: Failed to pull image \"box:1\": "
                          "no such image",
                          "Warning Failed of spec.containers{c}: Error: ErrImagePull"));
  clock_.Advance(absl::Seconds(2));
  Step();
  Step();
  EXPECT_THAT(Told(), ElementsAre("BackOff of spec.containers{c}: Back-off pulling image \"box:1\"",
                                  "Warning Failed of spec.containers{c}: Error: ImagePullBackOff"));
  clock_.Advance(absl::Seconds(9));
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulling of spec.containers{c}: Pulling image \"box:1\""));
}

TEST_F(PodWorkerEventsTest, AnImageThatMayNotBePulled) {
  runtime_.image = std::optional<ImageView>();
  pod_.containers[0].pull_policy = "Never";
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("Warning ErrImageNeverPull of spec.containers{c}: Container image "
                          "\"box:1\" is not present with pull policy of Never",
                          "Warning Failed of spec.containers{c}: Error: ErrImageNeverPull"));
}

TEST_F(PodWorkerEventsTest, AnImageThatCannotBeLookedAt) {
  runtime_.image = absl::InternalError("corrupt");
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("Warning InspectFailed of spec.containers{c}: Failed to inspect "
                          "image \"box:1\": corrupt",
                          "Warning Failed of spec.containers{c}: Error: ImageInspectError"));
}

// [edged-8.2] The API forgets events after an hour: what goes on is told again every five minutes.
TEST_F(PodWorkerEventsTest, WhatGoesOnIsToldAgain) {
  runtime_.created = absl::InternalError("no space");
  Step();
  EXPECT_THAT(Told(), ElementsAre("Warning Failed of spec.containers{c}: Error: no space"));
  clock_.Advance(absl::Seconds(11));
  Step();
  EXPECT_THAT(Told(), IsEmpty());
  clock_.Advance(absl::Minutes(5));
  Step();
  EXPECT_THAT(Told(), ElementsAre("Warning Failed of spec.containers{c}: Error: no space"));
}

TEST_F(PodWorkerEventsTest, AContainerThatCannotBeRun) {
  runtime_.started = absl::InternalError("exec: \"none\": not found");
  Step();
  EXPECT_THAT(Told(), ElementsAre("Pulled of spec.containers{c}: Container image \"box:1\" already "
                                  "present on machine",
                                  "Created of spec.containers{c}: Created container: c",
                                  "Warning Failed of spec.containers{c}: Error: exec: \"none\": "
                                  "not found"));
}

// [edged-8.1]
TEST_F(PodWorkerEventsTest, ACrashLoopBacksOff) {
  Container(ContainerView::State::kExited);
  Step();  // The first time it is started at once.
  Told();
  for (const int restarts : {1, 2}) {
    Container(ContainerView::State::kExited, restarts);
    Step();
    Step();
    EXPECT_THAT(Told(), ElementsAre("Warning BackOff of spec.containers{c}: Back-off restarting "
                                    "failed container c in pod web_default(u1)"));
    clock_.Advance(absl::Seconds(21));
    Step();
    EXPECT_EQ(Told().back(), "Started of spec.containers{c}: Started container c");
  }
}

// [edged-8.1]
TEST_F(PodWorkerEventsTest, AProbeThatFailsAndItsEnd) {
  pod_.containers[0].liveness = Probe();
  pod_.containers[0].liveness->failure_threshold = 2;
  Container(ContainerView::State::kRunning);
  Step();
  EndHandler(absl::FailedPreconditionError("HTTP probe failed with statuscode: 500"));
  Step();
  EXPECT_THAT(Told(), ElementsAre("Warning Unhealthy of spec.containers{c}: Liveness probe failed: "
                                  "HTTP probe failed with statuscode: 500"));
  clock_.Advance(absl::Seconds(10));
  Step();
  EndHandler(absl::UnavailableError("the runtime restarts"));
  Step();
  EXPECT_THAT(Told(), IsEmpty()) << "it says nothing of the container";
  clock_.Advance(absl::Seconds(10));
  Step();
  EndHandler(absl::FailedPreconditionError("no"));
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("Warning Unhealthy of spec.containers{c}: Liveness probe failed: no",
                          "Killing of spec.containers{c}: Container c failed liveness probe, will "
                          "be restarted"));
}

TEST_F(PodWorkerEventsTest, HooksThatFail) {
  pod_.containers[0].post_start = Handler();
  Step();
  Told();
  EndHandler(absl::FailedPreconditionError("no"));
  Container(ContainerView::State::kRunning);
  Step();
  EXPECT_THAT(Told(), ElementsAre("Warning FailedPostStartHook of spec.containers{c}: "
                                  "PostStartHook failed",
                                  "Killing of spec.containers{c}: FailedPostStartHook"));
  worker_ = std::make_shared<PodWorker>(deps_, "u1", std::nullopt);
  pod_.containers[0].pre_stop = Handler();
  Container(ContainerView::State::kRunning);
  pod_.deletion_time = clock_.Now();
  Step();
  Step();
  EXPECT_THAT(Told(), ElementsAre("Killing of spec.containers{c}: Stopping container c"));
  EndHandler(absl::FailedPreconditionError("no"));
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("Warning FailedPreStopHook of spec.containers{c}: PreStopHook failed"));
}

// [edged-8.1]
TEST_F(PodWorkerEventsTest, ASandboxThatCannotBeMade) {
  input_.view.sandboxes.clear();
  runtime_.sandbox = absl::InternalError("no network");
  for (int i = 0; i < 3; ++i) {
    Step();
    clock_.Advance(absl::Seconds(11));
  }
  EXPECT_THAT(Told(), ElementsAre("Warning FailedCreatePodSandBox of web: Failed to create pod "
                                  "sandbox: no network"));
}

TEST_F(PodWorkerEventsTest, ASandboxThatHasEnded) {
  input_.view.sandboxes[0].ready = false;
  runtime_.sandbox = absl::InternalError("no network");
  Step();
  EXPECT_EQ(Told().size(), 2u);
  runtime_.sandbox = absl::OkStatus();
  clock_.Advance(absl::Minutes(6));
  Step();
  EXPECT_THAT(Told(), ElementsAre("SandboxChanged of web: Pod sandbox changed, it will be killed "
                                  "and re-created."));
}

// [edged-8.1]
TEST_F(PodWorkerEventsTest, AVolumeThatCannotBeMade) {
  input_.view.sandboxes.clear();
  VolumeSpec volume{.name = "v", .kind = VolumeSpec::Kind::kFiles, .plugin = "secret"};
  volume.sources.push_back({.kind = FileSource::Kind::kSecret, .object = "later"});
  pod_.volumes.push_back(volume);
  Step();
  EXPECT_THAT(Told(), ElementsAre("Warning FailedMount of web: MountVolume.SetUp failed for volume "
                                  "\"v\" : secret \"later\" not found"));
}

TEST_F(PodWorkerEventsTest, ADeadlineThatHasPassed) {
  pod_.active_deadline_seconds = 5;
  Step();
  Told();
  Container(ContainerView::State::kRunning);
  clock_.Advance(absl::Seconds(6));
  Step();
  Step();
  EXPECT_THAT(Told(),
              ElementsAre("DeadlineExceeded of web: Pod was active on the node longer than the "
                          "specified deadline",
                          "Killing of spec.containers{c}: Stopping container c"));
}

}  // namespace
}  // namespace skerry::edged
