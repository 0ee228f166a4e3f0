#include "services/lib/exec/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

namespace skerry::exec {
namespace {

TEST(ThreadPoolTest, RunsWorkOnAllThreads) {
  ThreadPool pool("test", 2, 10);
  absl::BlockingCounter both(2);
  absl::Notification met;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(pool.TrySubmit([&] {
      if (both.DecrementCount()) met.Notify();
      met.WaitForNotification();  // Ends only if both run at once.
    }));
  }
  both.Wait();
}

TEST(ThreadPoolTest, RefusesAtTheBound) {
  ThreadPool pool("test", 1, 2);
  absl::Notification started, release;
  ASSERT_TRUE(pool.TrySubmit([&] {
    started.Notify();
    release.WaitForNotification();
  }));
  started.WaitForNotification();
  EXPECT_TRUE(pool.TrySubmit([] {}));
  EXPECT_TRUE(pool.TrySubmit([] {}));
  EXPECT_EQ(pool.queued(), 2u);
  EXPECT_FALSE(pool.TrySubmit([] {}));
  EXPECT_EQ(pool.refused(), 1u);
  release.Notify();
}

TEST(ThreadPoolTest, StopRunsWhatWasAcceptedAndRefusesTheRest) {
  std::atomic<int> ran = 0;
  ThreadPool pool("a name far longer than fifteen", 2, 1000);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.TrySubmit([&] { ++ran; }));
  pool.Stop();
  EXPECT_EQ(ran, 500);
  EXPECT_FALSE(pool.TrySubmit([] {}));
  pool.Stop();
}

}  // namespace
}  // namespace skerry::exec
