// In this process the wall clock is an hour ahead of the kernel's. To a wait that the kernel is to
// end at an instant of the wall clock that is as if it were set back by an hour in the midst of it.
#include <grpcpp/alarm.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

extern "C" int clock_gettime(clockid_t id, struct timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, id, time);  // NOLINT
  if (id == CLOCK_REALTIME) time->tv_sec += 3600;
  return static_cast<int>(result);
}

// Abseil's deadlines come from this one.
extern "C" int gettimeofday(struct timeval* time, void*) noexcept {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

namespace {

constexpr absl::Duration kShort = absl::Milliseconds(5);

TEST(MonotonicWaitsTest, TheWallClockIsAhead) {
  struct timespec kernel;
  ASSERT_EQ(syscall(SYS_clock_gettime, CLOCK_REALTIME, &kernel), 0);
  EXPECT_GT(absl::Now(), absl::TimeFromTimespec(kernel) + absl::Minutes(59));
  struct timeval day;
  gettimeofday(&day, nullptr);
  EXPECT_GT(absl::TimeFromTimeval(day), absl::TimeFromTimespec(kernel) + absl::Minutes(59));
}

// Each of these would take an hour.
TEST(MonotonicWaitsTest, AbseilsWaitsEndInTime) {
  absl::Mutex mutex;
  absl::CondVar changed;
  absl::Notification never;
  bool no = false;
  EXPECT_FALSE(never.WaitForNotificationWithTimeout(kShort));
  absl::MutexLock lock(&mutex);
  EXPECT_FALSE(mutex.AwaitWithTimeout(absl::Condition(&no), kShort));
  EXPECT_TRUE(changed.WaitWithTimeout(&mutex, kShort)) << "true says that the time is over";
  EXPECT_TRUE(changed.WaitWithDeadline(&mutex, absl::InfinitePast()));
}

TEST(MonotonicWaitsTest, GrpcsTimersRunInTime) {
  absl::Notification done;
  grpc::Alarm alarm;
  alarm.Set(absl::ToChronoTime(absl::Now() + kShort), [&](bool) { done.Notify(); });
  done.WaitForNotification();
}

TEST(MonotonicWaitsTest, WaitsEndByWhatTheyWaitFor) {
  absl::Mutex mutex;
  bool first = false, second = false;
  std::thread other([&] {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&first));
    second = true;
  });
  {
    absl::MutexLock lock(&mutex);
    first = true;
    EXPECT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&second), absl::Hours(1)));
  }
  other.join();
}

}  // namespace
