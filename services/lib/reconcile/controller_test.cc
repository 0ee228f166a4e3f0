#include "services/lib/reconcile/controller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace skerry::reconcile {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(20);

class ControllerTest : public ::testing::Test {
 protected:
  SystemClock clock_;
  metrics::Registry registry_{"test-svc"};
  ControllerMetrics metrics_{registry_, "test"};
};

TEST_F(ControllerTest, NeverRunsOneKeyTwiceAtATime) {
  absl::Mutex mutex;
  std::map<std::string, int> running;
  bool overlapped = false;
  int runs = 0;
  Controller controller({.name = "test", .workers = 4}, clock_, metrics_, log::Logger::Null(),
                        [&](const std::string& key) -> absl::StatusOr<Outcome> {
                          {
                            absl::MutexLock lock(&mutex);
                            if (++running[key] > 1) overlapped = true;
                          }
                          std::this_thread::yield();
                          absl::MutexLock lock(&mutex);
                          --running[key];
                          ++runs;
                          return Outcome::Done();
                        });
  controller.Start();
  for (int i = 0; i < 1000; ++i) controller.Add(absl::StrCat("k", i % 3));
  absl::MutexLock lock(&mutex);
  auto all_ran = [&] { return running.size() == 3 && runs >= 3; };
  EXPECT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&all_ran), kLimit));
  EXPECT_FALSE(overlapped);
}

TEST_F(ControllerTest, RetriesUntilSuccessAndCounts) {
  std::atomic<int> tries = 0;
  absl::Notification done;
  Controller controller({.name = "test", .workers = 2}, clock_, metrics_, log::Logger::Null(),
                        [&](const std::string&) -> absl::StatusOr<Outcome> {
                          if (++tries < 4) return absl::UnavailableError("not yet");
                          done.Notify();
                          return Outcome::Done();
                        });
  controller.Start();
  controller.Add("a");
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLimit));
  controller.Stop();
  const std::string text = registry_.Render();
  EXPECT_TRUE(absl::StrContains(text, R"(skerry_reconcile_total{controller="test",result="retry")"))
      << text;
}

TEST_F(ControllerTest, ShowsHowManyKeysWaitForAWorker) {
  const auto waiting = [&](int keys) {
    return absl::StrContains(registry_.Render(),
                             absl::StrCat("skerry_reconcile_waiting{controller=\"test\"} ", keys));
  };
  absl::Notification begun, go_on;
  Controller controller({.name = "test", .workers = 1}, clock_, metrics_, log::Logger::Null(),
                        [&](const std::string& key) -> absl::StatusOr<Outcome> {
                          if (key == "a") {
                            begun.Notify();
                            go_on.WaitForNotification();
                          }
                          return Outcome::Done();
                        });
  EXPECT_TRUE(waiting(0));
  controller.Add("a");
  EXPECT_TRUE(waiting(1));
  controller.Start();
  begun.WaitForNotification();
  EXPECT_TRUE(waiting(0));
  for (const char* key : {"b", "c", "b"}) controller.Add(key);
  EXPECT_TRUE(waiting(2));
  go_on.Notify();
  controller.Stop();
  EXPECT_TRUE(waiting(0));
}

}  // namespace
}  // namespace skerry::reconcile
