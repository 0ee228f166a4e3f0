#include "services/lib/exec/serial_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::exec {
namespace {

using ::skerry::testing::FakeClock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SerialExecutorTest : public ::testing::Test {
 protected:
  void Settle() {
    EXPECT_TRUE(executor_.Run([] {}));
  }
  absl::AnyInvocable<void()> Note(int n) {
    return [this, n] { ran_.push_back(n); };
  }

  FakeClock clock_;
  std::vector<int> ran_;  // Only the executor's thread writes; Run() orders reads after it.
  SerialExecutor executor_{"test", clock_};
};

TEST_F(SerialExecutorTest, RunsInOrder) {
  for (int i = 0; i < 5; ++i) executor_.Post(Note(i));
  Settle();
  EXPECT_THAT(ran_, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(SerialExecutorTest, NeverRunsTwoAtATime) {
  int running = 0, most = 0, total = 0;  // Unguarded on purpose: a race is a TSan report.
  std::vector<std::thread> posters;
  for (int t = 0; t < 4; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto work = [&] {
          most = std::max(most, ++running);
          ++total;
          --running;
        };
        i % 2 == 0 ? executor_.Post(work) : executor_.PostOrRun(work);
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  Settle();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(total, 800);
}

TEST_F(SerialExecutorTest, WhatFindsNothingWaitingRunsHereAndNow) {
  std::thread::id runner;
  EXPECT_TRUE(executor_.PostOrRun([&] { runner = std::this_thread::get_id(); }));
  EXPECT_EQ(runner, std::this_thread::get_id());
}

TEST_F(SerialExecutorTest, WhatFindsWorkUnderWayWaitsForItsTurn) {
  absl::Notification begun, go_on;
  executor_.Post([&] {
    begun.Notify();
    go_on.WaitForNotification();
    ran_.push_back(1);
  });
  begun.WaitForNotification();
  executor_.PostOrRun(Note(2));
  executor_.Post(Note(3));
  executor_.PostOrRun(Note(4));
  go_on.Notify();
  Settle();
  EXPECT_THAT(ran_, ElementsAre(1, 2, 3, 4));
}

// The thread takes over what comes while something runs elsewhere.
TEST_F(SerialExecutorTest, WorkThatRunsHerePostsMore) {
  executor_.PostOrRun([&] {
    executor_.Post(Note(2));
    executor_.PostOrRun(Note(3));
    executor_.PostAfter(absl::ZeroDuration(), Note(4));
    ran_.push_back(1);
  });
  Settle();
  EXPECT_THAT(ran_, ElementsAre(1, 2, 3, 4));
}

TEST_F(SerialExecutorTest, ATimerThatIsDueRunsBeforeWhatIsPostedThen) {
  executor_.PostAfter(absl::Seconds(1), Note(1));
  clock_.Advance(absl::Seconds(1));
  executor_.PostOrRun(Note(2));
  Settle();
  EXPECT_THAT(ran_, ElementsAre(1, 2));
}

TEST_F(SerialExecutorTest, StopWaitsForWhatRunsElsewhere) {
  absl::Notification begun, go_on;
  std::thread poster([&] {
    executor_.PostOrRun([&] {
      begun.Notify();
      go_on.WaitForNotification();
      ran_.push_back(1);
    });
  });
  begun.WaitForNotification();
  executor_.Post(Note(2));
  std::thread stopper([&] { executor_.Stop(); });
  go_on.Notify();
  stopper.join();
  poster.join();
  EXPECT_FALSE(executor_.PostOrRun(Note(3)));
  EXPECT_THAT(ran_, ElementsAre(1, 2));
}

TEST_F(SerialExecutorTest, TimersRunWhenDueByTheirTimes) {
  executor_.PostAfter(absl::Seconds(2), Note(2));
  executor_.PostAfter(absl::Seconds(1), Note(1));
  executor_.PostAfter(absl::Seconds(2), Note(3));
  Settle();
  EXPECT_THAT(ran_, IsEmpty());
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_THAT(ran_, ElementsAre(1));
  clock_.Advance(absl::Seconds(5));
  Settle();
  EXPECT_THAT(ran_, ElementsAre(1, 2, 3));
}

TEST_F(SerialExecutorTest, AWaitingThreadWakesForATimer) {
  absl::Notification done;
  executor_.PostAfter(absl::Seconds(10), [&] { done.Notify(); });
  clock_.Advance(absl::Seconds(10));
  done.WaitForNotification();
}

TEST_F(SerialExecutorTest, AnEarlierTimerCutsTheWaitShort) {
  absl::Notification early;
  executor_.PostAfter(absl::Hours(1), Note(9));
  Settle();
  executor_.PostAfter(absl::Seconds(1), [&] { early.Notify(); });
  clock_.Advance(absl::Seconds(1));
  early.WaitForNotification();
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(SerialExecutorTest, ZeroAndNegativeDelaysDoNotStarveTheQueue) {
  int rounds = 0;
  std::function<void()> again = [&] {
    ++rounds;
    executor_.PostAfter(absl::Seconds(-1), again);
  };
  executor_.PostAfter(absl::ZeroDuration(), again);
  Settle();
  Settle();
  executor_.Stop();
  EXPECT_GE(rounds, 1);
}

TEST_F(SerialExecutorTest, CancelledTimersNeverRun) {
  const auto before = executor_.PostAfter(absl::Seconds(1), Note(1));
  executor_.Cancel(before);
  // Due, in the queue behind the one that cancels it.
  absl::Notification hold, held;
  executor_.Post([&] {
    held.Notify();
    hold.WaitForNotification();
  });
  held.WaitForNotification();
  SerialExecutor::TimerId queued = 0;
  executor_.Post([&] { executor_.Cancel(queued); });
  queued = executor_.PostAfter(absl::Seconds(1), Note(2));
  clock_.Advance(absl::Seconds(1));
  executor_.Post(Note(3));
  hold.Notify();
  Settle();
  EXPECT_THAT(ran_, ElementsAre(3));
  executor_.Cancel(queued);
  executor_.Cancel(12345);
}

TEST_F(SerialExecutorTest, StopRunsTheQueueAndDropsTimersAndLaterWork) {
  absl::Notification hold, held;
  executor_.Post([&] {
    held.Notify();
    hold.WaitForNotification();
  });
  held.WaitForNotification();
  executor_.Post(Note(1));
  executor_.PostAfter(absl::Seconds(1), Note(2));
  std::thread stopper([&] { executor_.Stop(); });
  while (executor_.Post(Note(1))) std::this_thread::yield();
  const size_t accepted_at_least = 1;
  hold.Notify();
  stopper.join();
  EXPECT_GE(ran_.size(), accepted_at_least);
  EXPECT_THAT(ran_, ::testing::Each(1));
  EXPECT_FALSE(executor_.Run(Note(3)));
  clock_.Advance(absl::Hours(1));
  executor_.Stop();
}

TEST_F(SerialExecutorTest, WorkPostsWork) {
  absl::Notification done;
  executor_.Post([&] { executor_.Post([&] { done.Notify(); }); });
  done.WaitForNotification();
}

TEST(SerialExecutorSystemClockTest, TimersRun) {
  SystemClock clock;
  SerialExecutor executor("test", clock);
  absl::Notification done;
  executor.PostAfter(absl::Milliseconds(5), [&] { done.Notify(); });
  done.WaitForNotification();
}

}  // namespace
}  // namespace skerry::exec
