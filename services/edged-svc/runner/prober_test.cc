#include "services/edged-svc/runner/prober.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

using Kind = Prober::Kind;

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);
const absl::Status kYes = absl::OkStatus();
const absl::Status kNo = absl::FailedPreconditionError("no");

Probe Every(int seconds, int failures = 3, int successes = 1) {
  Probe probe;
  probe.period = absl::Seconds(seconds);
  probe.failure_threshold = failures;
  probe.success_threshold = successes;
  return probe;
}

class ProberTest : public ::testing::Test {
 protected:
  void Track(const std::string& id = "c0", bool was_ready = false) {
    prober_.Track(spec_, id, now_, was_ready, false, now_);
  }
  // The only probe that is due is of `kind`: its result.
  void Probe(Kind kind, const absl::Status& result) {
    const auto due = prober_.TakeDue(now_);
    ASSERT_EQ(due.size(), 1u);
    ASSERT_EQ(due[0].kind, kind);
    prober_.Result("c", "c0", kind, result, now_);
  }

  Prober prober_;
  ContainerSpec spec_{.name = "c"};
  absl::Time now_ = kStart;
};

TEST_F(ProberTest, ReadinessBeginsAsFailure) {
  spec_.readiness = Every(10);
  spec_.readiness->initial_delay = absl::Seconds(5);
  Track();
  EXPECT_EQ(prober_.Of("c").ready, false);
  EXPECT_EQ(prober_.NextDue(), kStart + absl::Seconds(5));
  EXPECT_TRUE(prober_.TakeDue(now_).empty());
  now_ += absl::Seconds(5);
  Probe(Kind::kReadiness, kYes);
  EXPECT_EQ(prober_.Of("c").ready, true);
  EXPECT_EQ(prober_.NextDue(), now_ + absl::Seconds(10));
}

TEST_F(ProberTest, ThresholdsCountInARow) {
  spec_.liveness = Every(1, 2);
  Track();
  for (const bool good : {false, true, false}) {
    Probe(Kind::kLiveness, good ? kYes : kNo);
    EXPECT_EQ(prober_.Of("c").kill, "");
    now_ += absl::Seconds(1);
  }
  Probe(Kind::kLiveness, kNo);
  EXPECT_EQ(prober_.Of("c").kill, "Container c failed liveness probe, will be restarted");
}

TEST_F(ProberTest, NothingElseRunsBeforeTheStartupProbe) {
  spec_.startup = Every(1, 30);
  spec_.liveness = Every(1);
  spec_.readiness = Every(1);
  Track();
  EXPECT_EQ(prober_.Of("c").started, false);
  Probe(Kind::kStartup, kNo);
  now_ += absl::Seconds(1);
  Probe(Kind::kStartup, kYes);
  EXPECT_EQ(prober_.Of("c").started, true);
  EXPECT_EQ(prober_.TakeDue(now_).size(), 2u);
}

TEST_F(ProberTest, ARuntimeThatCannotAnswerSaysNothing) {
  spec_.liveness = Every(1, 1);
  Track();
  Probe(Kind::kLiveness, absl::UnavailableError("runtime restarts"));
  EXPECT_EQ(prober_.Of("c").kill, "");
}

TEST_F(ProberTest, ANewStartBeginsAnew) {
  spec_.readiness = Every(1);
  Track();
  Probe(Kind::kReadiness, kYes);
  Track("c1");
  EXPECT_EQ(prober_.Of("c").ready, false);
  prober_.Result("c", "c0", Kind::kReadiness, kYes, now_);  // Late, of the earlier start.
  EXPECT_EQ(prober_.Of("c").ready, false);
}

// [edged-2.2] After a restart of edged a ready container is not unready until its next probe.
TEST_F(ProberTest, RemembersWhatWasReported) {
  spec_.readiness = Every(1);
  Track("c0", true);
  EXPECT_EQ(prober_.Of("c").ready, true);
}

TEST_F(ProberTest, OneInFlight) {
  spec_.readiness = Every(1);
  Track();
  EXPECT_EQ(prober_.TakeDue(now_).size(), 1u);
  EXPECT_TRUE(prober_.TakeDue(now_ + absl::Seconds(100)).empty());
  EXPECT_EQ(prober_.NextDue(), absl::InfiniteFuture());
}

// [edged-3.6]
TEST_F(ProberTest, PeriodsCountFromStartToStart) {
  spec_.liveness = Every(10);
  Track();
  ASSERT_EQ(prober_.TakeDue(now_).size(), 1u);
  prober_.Result("c", "c0", Kind::kLiveness, kNo, now_ + absl::Seconds(4));
  EXPECT_EQ(prober_.NextDue(), kStart + absl::Seconds(10));
  now_ += absl::Seconds(10);
  ASSERT_EQ(prober_.TakeDue(now_).size(), 1u);
  prober_.Result("c", "c0", Kind::kLiveness, kNo, now_ + absl::Seconds(15));  // Longer than that.
  EXPECT_EQ(prober_.NextDue(), now_ + absl::Seconds(15));
}

TEST_F(ProberTest, SaysHowLateAProbeIs) {
  spec_.readiness = Every(10);
  // Its first one was due before edged was restarted.
  prober_.Track(spec_, "c0", now_ - absl::Hours(1), true, false, now_);
  EXPECT_EQ(prober_.TakeDue(now_).at(0).late, absl::ZeroDuration());
  prober_.Result("c", "c0", Kind::kReadiness, kYes, now_);
  EXPECT_EQ(prober_.TakeDue(now_ + absl::Seconds(13)).at(0).late, absl::Seconds(3));
  prober_.Result("c", "c0", Kind::kReadiness, kYes, now_ + absl::Seconds(13));
  EXPECT_EQ(prober_.TakeDue(now_ - absl::Hours(5)).at(0).late, absl::ZeroDuration());
}

TEST_F(ProberTest, ClockSetBackHoldsUpNothing) {
  spec_.readiness = Every(1);
  Track();
  EXPECT_EQ(prober_.TakeDue(kStart - absl::Hours(5)).size(), 1u);
}

}  // namespace
}  // namespace skerry::edged
