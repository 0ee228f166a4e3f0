#include "services/eventbus-svc/runner/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/eventbus-svc/testing/journal_fixture.h"

namespace skerry::eventbus {
namespace {

constexpr char kUpdate[] = "$hw/events/device/plant/pump-1/twin/update";

class IntakeTest : public JournalFixture {
 protected:
  void Message(const std::string& topic, const std::string& payload, bool retained = false) {
    intake_.OnMessage(topic, payload, payload.size(), retained);
  }
  size_t Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_.size();
  }

  absl::Mutex mutex_;
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  Intake intake_{{.node = *NodeName::Parse("edge-1"), .requests_bytes_max = 2000},
                 *journal_,
                 [this](Request request) {
                   absl::MutexLock lock(&mutex_);
                   requests_.push_back(std::move(request));
                 },
                 clock_,
                 metrics_,
                 log::Logger::Null()};
};

TEST_F(IntakeTest, SortsByTopic) {
  Message(kUpdate, "{}");
  Message("$hw/events/device/plant/pump-1/twin/get", "{}");
  Message("$hw/events/node/edge-1/membership/get", "{}");
  EXPECT_EQ(Requests(), 3u);
  Message("$hw/events/node/edge-2/membership/get", "{}");  // Another node.
  Message("$hw/events/device/plant/PUMP/twin/get", "{}");  // No name of Kubernetes'.
  Message("a//b", "{}");
  Message(kUpdate, "{}", /*retained=*/true);
  EXPECT_EQ(Requests(), 3u);
  EXPECT_EQ(metrics_.refused_topic.Value(), 3);
  EXPECT_EQ(metrics_.refused_retained.Value(), 1);
}

TEST_F(IntakeTest, AUserMessageIsOnTheDiskWhenItReturns) {
  Message("plant/user/a", "hello");
  EXPECT_EQ(store_->stats().uploads.entries, 1);
  Message("plant/user/a", std::string((252 << 10) + 1, 'x'));
  EXPECT_EQ(store_->stats().uploads.entries, 1);
  EXPECT_EQ(metrics_.refused_size.Value(), 1);
}

TEST_F(IntakeTest, AUserMessageThatTheDiskDoesNotTakeIsCounted) {
  disk_.SetCapacity(disk_.UsedBytes());
  for (int i = 0; i < 40; ++i) Message("plant/user/a", std::string(200 << 10, 'x'));
  EXPECT_GT(metrics_.refused_store.Value(), 0);
}

TEST_F(IntakeTest, AFullQueueHoldsBackUntilThereIsRoom) {
  for (int i = 0; i < 3; ++i) Message(kUpdate, "{}");
  absl::Notification returned;
  std::thread broker([&] {
    Message(kUpdate, "{}");
    returned.Notify();
  });
  EXPECT_FALSE(returned.HasBeenNotified());
  {
    absl::MutexLock lock(&mutex_);
    intake_.Release(requests_.front().bytes);
  }
  returned.WaitForNotification();
  broker.join();
  EXPECT_EQ(Requests(), 4u);
  EXPECT_EQ(metrics_.refused_busy.Value(), 0);
}

TEST_F(IntakeTest, AQueueThatStaysFullRefuses) {
  for (int i = 0; i < 3; ++i) Message(kUpdate, "{}");
  std::thread broker([&] { Message(kUpdate, "{}"); });
  while (metrics_.refused_busy.Value() == 0) clock_.Advance(absl::Seconds(1));
  broker.join();
  EXPECT_EQ(Requests(), 3u);
}

TEST_F(IntakeTest, NobodyWaitsAfterClose) {
  for (int i = 0; i < 3; ++i) Message(kUpdate, "{}");
  std::thread broker([&] { Message(kUpdate, "{}"); });
  intake_.Close();
  broker.join();
  EXPECT_EQ(Requests(), 3u);
}

}  // namespace
}  // namespace skerry::eventbus
