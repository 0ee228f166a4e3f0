#include "services/lib/link/keepalive.h"

#include <gtest/gtest.h>

namespace skerry::link {
namespace {

using absl::Hours;
using absl::Seconds;

class KeepaliveTest : public ::testing::Test {
 protected:
  // A session of a hub whose own interval is a minute.
  void Begin() {
    interval_ =
        keepalive_.asked() > absl::ZeroDuration() ? std::min(kOwn, keepalive_.asked()) : kOwn;
    keepalive_.Holds(interval_);
  }
  // Idle intervals, each of which the connection outlives.
  void Idle(int intervals) {
    for (int i = 0; i < intervals; ++i) {
      keepalive_.Sent(interval_);
      keepalive_.Heard();
    }
  }
  // The next idle interval is the connection's end.
  bool Lose() {
    keepalive_.Sent(interval_);
    return keepalive_.Lost();
  }
  // Sessions, until their interval is this one.
  void LearnTo(absl::Duration interval) {
    for (Begin(); interval_ > interval; Begin()) ASSERT_TRUE(Lose());
    ASSERT_EQ(interval_, interval);
  }
  // Idle for so long, and a heartbeat.
  absl::Duration TryAfter(absl::Duration idle) {
    Idle(static_cast<int>(idle / interval_));
    return keepalive_.Try();
  }

  static constexpr absl::Duration kOwn = Seconds(60);
  Keepalive keepalive_;
  absl::Duration interval_;
};

// link-3.7
TEST_F(KeepaliveTest, EverySessionThatAnIdleIntervalEndsHalvesTheInterval) {
  EXPECT_EQ(keepalive_.asked(), absl::ZeroDuration());
  for (double seconds : {30.0, 15.0, 7.5, 5.0}) {
    Begin();
    EXPECT_TRUE(Lose());
    EXPECT_EQ(keepalive_.asked(), Seconds(seconds));
  }
  Begin();
  EXPECT_FALSE(Lose()) << "5 s is the shortest";
  EXPECT_EQ(keepalive_.asked(), Seconds(5));
}

TEST_F(KeepaliveTest, AnIntervalThatIsShorterThanTheShortestIsLeftAlone) {
  keepalive_.Holds(Seconds(2));
  keepalive_.Sent(Seconds(4));
  EXPECT_FALSE(keepalive_.Lost());
  EXPECT_EQ(keepalive_.asked(), absl::ZeroDuration());
}

TEST_F(KeepaliveTest, ASessionThatEndsWhileTheLineIsInUseTeachesNothing) {
  Begin();
  EXPECT_FALSE(keepalive_.Lost()) << "nothing was sent";
  keepalive_.Sent(Seconds(3));
  EXPECT_FALSE(keepalive_.Lost()) << "the line was in use";
  keepalive_.Sent(Seconds(60));
  keepalive_.Heard();
  keepalive_.Sent(Seconds(1));
  EXPECT_FALSE(keepalive_.Lost()) << "what followed the idle interval was answered";
}

// A box that reports every 20 s over a line that forgets within them.
TEST_F(KeepaliveTest, LessThanAnIntervalOfIdlenessTeachesToo) {
  Begin();
  keepalive_.Sent(Seconds(20));
  keepalive_.Sent(Seconds(20));
  EXPECT_TRUE(keepalive_.Lost());
  EXPECT_EQ(keepalive_.asked(), Seconds(30));
}

TEST_F(KeepaliveTest, ASessionThatOutlivedManyIdleIntervalsIsEndedBySomethingElse) {
  Begin();
  Idle(Keepalive::kOutlivedMax - 1);
  EXPECT_TRUE(Lose());
  Begin();
  Idle(Keepalive::kOutlivedMax);
  EXPECT_FALSE(Lose());
  // The next session begins from nothing.
  Begin();
  EXPECT_TRUE(Lose());
}

// link-3.8
TEST_F(KeepaliveTest, AfterAnHourOfIdlenessALongerIntervalIsTried) {
  LearnTo(Seconds(15));
  EXPECT_EQ(TryAfter(Hours(1) - Seconds(15)), absl::ZeroDuration());
  Begin();  // Also over several sessions.
  EXPECT_EQ(TryAfter(Seconds(15)), Seconds(22.5));
  Begin();
  EXPECT_EQ(keepalive_.Try(), absl::ZeroDuration());
  EXPECT_EQ(TryAfter(Hours(1)), Seconds(33.75));
  Begin();
  EXPECT_EQ(TryAfter(Hours(1) + Seconds(30)), Seconds(50.625));
  Begin();
  EXPECT_EQ(TryAfter(Hours(1) + Seconds(60)), Seconds(75.9375));
  Begin();
  EXPECT_EQ(interval_, kOwn);
  EXPECT_EQ(keepalive_.asked(), absl::ZeroDuration()) << "the hub's own is never exceeded";
  EXPECT_EQ(TryAfter(Hours(48)), absl::ZeroDuration());
}

TEST_F(KeepaliveTest, WhereNothingWasLearntNothingIsTried) {
  Begin();
  EXPECT_EQ(TryAfter(Hours(48)), absl::ZeroDuration());
}

TEST_F(KeepaliveTest, IdleTimeThatIsMuchLessThanAnIntervalProvesNothing) {
  LearnTo(Seconds(30));
  for (int i = 0; i < 1000; ++i) {
    keepalive_.Sent(Seconds(20));
    keepalive_.Heard();
  }
  EXPECT_EQ(keepalive_.Try(), absl::ZeroDuration());
}

// A line that forgets after 50 s.
TEST_F(KeepaliveTest, ATrialThatFailsGoesBackAndTheNextWaitsTwiceAsLongUpToADay) {
  LearnTo(Seconds(30));
  ASSERT_EQ(TryAfter(Hours(1)), Seconds(45));
  Begin();
  absl::Duration wait = Hours(1);
  for (int trial = 0; trial < 7; ++trial) {
    EXPECT_EQ(TryAfter(wait - Seconds(45)), absl::ZeroDuration()) << trial;
    ASSERT_EQ(TryAfter(Seconds(45)), Seconds(67.5)) << trial;
    Begin();
    ASSERT_EQ(interval_, kOwn);
    EXPECT_TRUE(Lose());
    EXPECT_EQ(keepalive_.asked(), Seconds(45));
    Begin();
    wait = std::min(2 * wait, Hours(24));
  }
}

TEST_F(KeepaliveTest, ATrialThatHoldsSetsTheWaitBack) {
  LearnTo(Seconds(15));
  ASSERT_EQ(TryAfter(Hours(1)), Seconds(22.5));
  Begin();
  ASSERT_TRUE(Lose());  // The line was in another place by then.
  Begin();
  ASSERT_EQ(TryAfter(Hours(2)), Seconds(22.5));
  Begin();
  EXPECT_EQ(TryAfter(Hours(1)), absl::ZeroDuration()) << "the trial is not over";
  EXPECT_EQ(TryAfter(Hours(1)), Seconds(33.75));
  Begin();
  EXPECT_EQ(TryAfter(Hours(1) + Seconds(30)), Seconds(50.625));
}

TEST_F(KeepaliveTest, AHeartbeatThatIsLostWithItsQuestionIsNoFailedTrial) {
  LearnTo(Seconds(30));
  ASSERT_EQ(TryAfter(Hours(1)), Seconds(45));
  Begin();
  keepalive_.Holds(Seconds(30));  // A hub that does not know the question.
  EXPECT_TRUE(Lose());
  EXPECT_EQ(keepalive_.asked(), Seconds(15));
}

// What is asked for is kept by the node; which hub it meets may differ.
TEST_F(KeepaliveTest, AHubWithAShorterIntervalOfItsOwnNeedsNoQuestion) {
  LearnTo(Seconds(30));
  keepalive_.Holds(Seconds(10));
  EXPECT_EQ(keepalive_.asked(), absl::ZeroDuration());
}

}  // namespace
}  // namespace skerry::link
