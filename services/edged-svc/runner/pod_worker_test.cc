// How a worker ends containers when the wall clock steps. What it does otherwise is tested with a
// real runtime (app_test) and in core (pod_machine_test).
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "services/edged-svc/runner/pod_worker_fixture.h"

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

class PodWorkerTest : public PodWorkerFixture<StoppingRuntime> {
 protected:
  PodWorkerTest() {
    pod_.deletion_time = clock_.Now();
    input_.view.containers.push_back(
        {.id = "c0", .sandbox_id = "s0", .name = "c", .state = ContainerView::State::kRunning});
  }

  void StepClock(absl::Duration by) { clock_.SetNow(clock_.Now() + by); }
};

// Bug: what was left of the grace after the hook was a year longer.
TEST_F(PodWorkerTest, AClockSetBackDuringAPreStopHookDoesNotMakeTheGraceLonger) {
  pod_.containers[0].pre_stop = Handler();
  Step();
  clock_.Advance(absl::Seconds(10));
  StepClock(-kYear);
  EndHandler(absl::OkStatus());
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
