#include "services/lib/testing/fake_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace skerry::testing {
namespace {

TEST(FakeClockTest, MovesOnlyWhenTold) {
  FakeClock clock;
  const absl::Time start = clock.Now();
  const absl::Duration monotonic = clock.Monotonic();
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), start + absl::Seconds(5));
  EXPECT_EQ(clock.Monotonic(), monotonic + absl::Seconds(5));
  clock.SetNow(start);
  EXPECT_EQ(clock.Now(), start);
  EXPECT_EQ(clock.Monotonic(), monotonic + absl::Seconds(5));
}

TEST(FakeClockTest, AdvanceWakesThoseWhoseTimeHasCome) {
  FakeClock clock;
  absl::Mutex mutex;
  bool never = false;
  const absl::Duration deadline = clock.Monotonic() + absl::Seconds(10);
  std::thread waiter([&] {
    absl::MutexLock lock(&mutex);
    clock.AwaitUntil(mutex, absl::Condition(&never), deadline);
  });
  clock.Advance(absl::Seconds(4));
  clock.Advance(absl::Seconds(6));
  waiter.join();
}

}  // namespace
}  // namespace skerry::testing
