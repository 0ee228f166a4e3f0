#include "services/device-controller-svc/service/device_watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/sqlite_registry_store.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;

// A reader that takes what it is told to.
class Reader final : public DeviceWatches::ResponseStream {
 public:
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    if (!closed_) status_ = std::move(status);
    closed_ = true;
  }
  bool Send(v1::WatchDevicesResponse message) override {
    absl::MutexLock lock(&mutex_);
    messages_.push_back(std::move(message));
    return !closed_;
  }
  size_t pending_bytes() const override { return stuck ? 1u << 30 : 0; }
  void SendBundles() override {}

  bool Await(size_t count) {
    const auto come = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return messages_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&come), absl::Seconds(20));
  }
  absl::Status AwaitClosed() {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(&closed_), absl::Seconds(20)))
      return absl::DeadlineExceededError("it is open");
    return status_;
  }
  v1::WatchDevicesResponse message(size_t i) {
    absl::MutexLock lock(&mutex_);
    return messages_.at(i);
  }

  std::atomic<bool> stuck = false;

 private:
  absl::Mutex mutex_;
  std::vector<v1::WatchDevicesResponse> messages_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

class DeviceWatchesTest : public ::testing::Test {
 protected:
  DeviceWatchesTest() { watches_.SetState(absl::OkStatus()); }

  static DeviceName Name(int i) { return *DeviceName::Make("plant", absl::StrCat("d-", 100 + i)); }
  rpc::WriterEvents Open(const std::shared_ptr<Reader>& reader) {
    v1::WatchDevicesRequest request;
    request.set_parent("namespaces/-");
    return watches_.Open(request, reader);
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  metrics::Registry registry_{"test"};
  ServiceMetrics metrics_{registry_};
  std::unique_ptr<SqliteRegistryStore> store_ =
      *SqliteRegistryStore::Open(folder_.File("registry.db"), 0, clock_);
  DeviceWatches watches_{*store_, metrics_, clock_, {.due_max = 10, .watchers_max = 2}};
};

TEST_F(DeviceWatchesTest, ASlowReaderGetsTheNewestState) {
  ASSERT_THAT(store_->Put({.device = Name(0), .uid = "u"}), IsOk());
  auto reader = std::make_shared<Reader>();
  const rpc::WriterEvents events = Open(reader);
  ASSERT_TRUE(reader->Await(2));
  EXPECT_TRUE(reader->message(1).has_synced());
  reader->stuck = true;
  for (int i = 1; i <= 100; ++i) {
    ASSERT_THAT(store_->Put({.device = Name(0), .uid = "u", .node = absl::StrCat("edge-", i)}),
                IsOk());
    watches_.Publish(Name(0));
  }
  reader->stuck = false;
  events.on_drained();
  ASSERT_TRUE(reader->Await(3));
  EXPECT_EQ(reader->message(2).upserted().node(), "edge-100");
  // One for it, then this.
  watches_.Publish(Name(0));
  ASSERT_TRUE(reader->Await(4));
  events.on_closed(absl::OkStatus());
  EXPECT_EQ(metrics_.watchers.Value(), 0);
}

TEST_F(DeviceWatchesTest, WhatChangesWhileAllIsReadIsSentAgain) {
  for (int i = 0; i < 60; ++i) ASSERT_THAT(store_->Put({.device = Name(i), .uid = "u"}), IsOk());
  auto reader = std::make_shared<Reader>();
  reader->stuck = true;
  const rpc::WriterEvents events = Open(reader);
  watches_.Publish(Name(59));
  reader->stuck = false;
  events.on_drained();
  ASSERT_TRUE(reader->Await(62));
  EXPECT_EQ(reader->message(60).upserted().name(), "namespaces/plant/devices/d-159");
  EXPECT_TRUE(reader->message(61).has_synced());
}

TEST_F(DeviceWatchesTest, AReaderThatIsFarBehindIsEnded) {
  auto slow = std::make_shared<Reader>();
  slow->stuck = true;
  Open(slow);
  for (int i = 0; i <= 10; ++i) watches_.Publish(Name(i));
  EXPECT_THAT(slow->AwaitClosed(), HasReason("SLOW_WATCHER"));
  EXPECT_EQ(metrics_.watchers_slow.Value(), 1);
}

TEST_F(DeviceWatchesTest, ThereAreSoManyAtMost) {
  Open(std::make_shared<Reader>());
  Open(std::make_shared<Reader>());
  auto third = std::make_shared<Reader>();
  Open(third);
  EXPECT_THAT(third->AwaitClosed(), HasReason("WATCHERS_FULL"));
  EXPECT_EQ(metrics_.watchers_refused.Value(), 1);
}

TEST_F(DeviceWatchesTest, ABadRequestIsRefused) {
  auto reader = std::make_shared<Reader>();
  watches_.Open({}, reader);
  EXPECT_THAT(reader->AwaitClosed(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DeviceWatchesTest, WithoutChangesToFollowThereIsNoWatch) {
  auto open = std::make_shared<Reader>();
  Open(open);
  watches_.SetState(NotLeader());
  EXPECT_THAT(open->AwaitClosed(), HasReason("NOT_LEADER"));
  auto late = std::make_shared<Reader>();
  Open(late);
  EXPECT_THAT(late->AwaitClosed(), HasReason("NOT_LEADER"));
  watches_.SetState(absl::OkStatus());
  auto again = std::make_shared<Reader>();
  Open(again);
  EXPECT_TRUE(again->Await(1));
}

}  // namespace
}  // namespace skerry::devicecontroller
