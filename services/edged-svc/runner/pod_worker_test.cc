// How a worker ends containers when the wall clock steps. What it does otherwise is tested with a
// real runtime (app_test) and in core (pod_machine_test).
#include "services/edged-svc/runner/pod_worker.h"

#include <gtest/gtest.h>

#include <utility>

#include "services/edged-svc/store/sqlite_checkpoint_store.h"
#include "services/edged-svc/testing/fake_events.h"
#include "services/edged-svc/testing/fake_objects.h"
#include "services/edged-svc/testing/fake_runtime.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kYear = absl::Hours(365 * 24);

// Remembers what it is told to stop; nothing else is asked of it.
class StoppingRuntime final : public FakeRuntime {
 public:
  struct Stop {
    absl::Duration grace;
    Done done;
  };
  std::vector<Stop> stops;

  void StopContainer(absl::string_view, absl::Duration grace, Done done) override {
    stops.push_back({grace, std::move(done)});
  }
};

class HeldHandlers final : public HandlerRunner {
 public:
  std::vector<Done> running;
  void Run(Use, const std::string&, const std::string&, const Handler&, absl::Duration,
           Done done) override {
    running.push_back(std::move(done));
  }
};

class PodWorkerTest : public ::testing::Test {
 protected:
  PodWorkerTest() {
    pod_.name_space = "default";
    pod_.name = "web";
    pod_.uid = "u1";
    pod_.deletion_time = clock_.Now();
    pod_.containers.push_back({.name = "c"});
    input_.view.sandboxes.push_back({.id = "s0", .ready = true});
    input_.view.containers.push_back(
        {.id = "c0", .sandbox_id = "s0", .name = "c", .state = ContainerView::State::kRunning});
  }

  void Step() {
    input_.pod = std::make_shared<const PodSpec>(pod_);
    worker_->Step(input_);
  }
  void StepClock(absl::Duration by) { clock_.SetNow(clock_.Now() + by); }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  StoppingRuntime runtime_;
  PodFolders folders_{folder_.File("root"), folder_.File("logs")};
  std::unique_ptr<SqliteCheckpointStore> checkpoints_ =
      *SqliteCheckpointStore::Open(folder_.File("edged.db"));
  FakeObjects objects_;
  HeldHandlers handlers_;
  FakeEvents events_;
  WorkerDeps deps_{.runtime = runtime_,
                   .folders = folders_,
                   .checkpoints = *checkpoints_,
                   .objects = objects_,
                   .handlers = handlers_,
                   .events = events_,
                   .clock = clock_,
                   .log = log::Logger::Null(),
                   .poke = [](const std::string&) {}};
  PodSpec pod_;
  PodWorker::Input input_;
  std::shared_ptr<PodWorker> worker_ = std::make_shared<PodWorker>(deps_, "u1", std::nullopt);
};

// Bug: what was left of the grace after the hook was a year longer.
TEST_F(PodWorkerTest, AClockSetBackDuringAPreStopHookDoesNotMakeTheGraceLonger) {
  pod_.containers[0].pre_stop = Handler();
  Step();
  ASSERT_EQ(handlers_.running.size(), 1u);
  clock_.Advance(absl::Seconds(10));
  StepClock(-kYear);
  handlers_.running[0](absl::OkStatus());
  Step();
  ASSERT_EQ(runtime_.stops.size(), 1u);
  EXPECT_EQ(runtime_.stops[0].grace, absl::Seconds(20));
}

// Bug: it was tried again a year later.
TEST_F(PodWorkerTest, AFailedStopIsTriedAgainThoughTheClockWasSetBack) {
  Step();
  ASSERT_EQ(runtime_.stops.size(), 1u);
  runtime_.stops[0].done(absl::UnavailableError("the runtime restarts"));
  Step();
  StepClock(-kYear);
  clock_.Advance(absl::Seconds(9));
  Step();
  EXPECT_EQ(runtime_.stops.size(), 1u);
  clock_.Advance(absl::Seconds(1));
  Step();
  EXPECT_EQ(runtime_.stops.size(), 2u);
}

// Bug: after a step forward the shorter grace ended later than the longer one had.
TEST_F(PodWorkerTest, AForcedDeletionShortensTheGraceThoughTheClockWasSetForward) {
  Step();
  ASSERT_EQ(runtime_.stops.size(), 1u);
  EXPECT_EQ(runtime_.stops[0].grace, absl::Seconds(30));
  StepClock(kYear);
  pod_.deletion_grace_seconds = 0;
  Step();
  ASSERT_EQ(runtime_.stops.size(), 2u);
  EXPECT_EQ(runtime_.stops[1].grace, absl::Seconds(1));
}

}  // namespace
}  // namespace skerry::edged
