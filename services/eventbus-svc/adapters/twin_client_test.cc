#include "services/eventbus-svc/adapters/twin_client.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::eventbus {
namespace {

using testing::IsOk;

constexpr int kEnough = 5000;
constexpr absl::Duration kPatience = absl::Seconds(10);

// Counts the watches that were begun.
class Attempts final : public TwinWatcher {
 public:
  void OnTwin(twin::v1::Twin) override {}
  void OnTwinDeleted(const DeviceName&) override {}
  void OnTwinsSynced() override {}
  void OnTwinsConnected(bool connected) override {
    absl::MutexLock lock(&mutex_);
    if (connected && count_ < kEnough) ++count_;
  }
  // Returns how many there were when they were enough, or no more came.
  int Await(int enough) {
    absl::MutexLock lock(&mutex_);
    for (int before = -1; count_ < enough && count_ > before;) {
      before = count_;
      const auto more = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return count_ > before; };
      mutex_.AwaitWithTimeout(absl::Condition(&more), kPatience);
    }
    return count_;
  }

 private:
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(TwinClient, AWatchBeginsAnewHoweverSoon) {
  testing::TempDir folder;
  SystemClock clock;
  exec::SerialExecutor executor("test", clock);
  Attempts attempts;
  // Nobody listens, and it waits for nothing: the next attempt is while the last one still ends.
  absl::StatusOr<std::unique_ptr<TwinClient>> client =
      TwinClient::Create({.address = absl::StrCat("unix:", folder.File("twin.sock")),
                          .reconnect_max = absl::Nanoseconds(1)},
                         executor, log::Logger::Null());
  ASSERT_THAT(client, IsOk());
  (*client)->Watch(attempts);
  EXPECT_EQ(attempts.Await(kEnough), kEnough);
  (*client)->Close();
  executor.Stop();
}

}  // namespace
}  // namespace skerry::eventbus
