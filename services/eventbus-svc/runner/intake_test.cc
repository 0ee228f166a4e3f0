#include "services/eventbus-svc/runner/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/eventbus-svc/testing/journal_fixture.h"

namespace skerry::eventbus {
namespace {

constexpr char kUpdate[] = "$hw/events/device/plant/pump-1/twin/update";

class IntakeTest : public JournalFixture {
 protected:
  void Message(const std::string& topic, const std::string& payload, bool retained = false) {
    intake_.OnMessage(topic, payload, payload.size(), retained, {});
  }
  size_t Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_.size();
  }

  std::unique_ptr<RequestLog> requests_log_ = *RequestLog::Open("requests.db", {&disk_});
  int ids_ = 0;
  absl::Mutex mutex_;
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  Intake intake_{{.node = *NodeName::Parse("edge-1"), .requests_bytes_max = 2000},
                 *journal_,
                 *requests_log_,
                 [this] { return absl::StrCat("id-", ++ids_); },
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

// [eb-3.4]
TEST_F(IntakeTest, WhatIsNotAnsweredComesAgainFromTheLog) {
  Message(kUpdate, "1");
  Message("$hw/events/node/edge-1/membership/get", "2");
  Message(kUpdate, "3");
  {
    absl::MutexLock lock(&mutex_);
    intake_.Release(requests_[1]);
    EXPECT_EQ(requests_[0].write_id, "id-1");
    requests_.clear();
  }
  Message(kUpdate, "4");
  Intake next(
      {.node = *NodeName::Parse("edge-1"), .requests_bytes_max = 2000}, *journal_, *requests_log_,
      [] { return ""; },
      [this](Request request) {
        absl::MutexLock lock(&mutex_);
        requests_.push_back(std::move(request));
      },
      clock_, metrics_, log::Logger::Null());
  {
    absl::MutexLock lock(&mutex_);
    requests_.clear();
  }
  next.Resume();
  absl::MutexLock lock(&mutex_);
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_EQ(requests_[0].payload, "1");
  EXPECT_EQ(requests_[0].write_id, "id-1") << "twin-svc takes it as the same write";
  EXPECT_EQ(requests_[1].payload, "3");
  EXPECT_EQ(requests_[2].payload, "4");
  EXPECT_TRUE(std::holds_alternative<TwinUpdateTopic>(requests_[2].topic));
  EXPECT_EQ(metrics_.requests_resumed.Value(), 3);
  for (const Request& request : requests_) next.Release(request);
  EXPECT_THAT(*requests_log_->Read(), ::testing::IsEmpty());
}

// [eb-3.4] [eb-4.1]
TEST_F(IntakeTest, WhatTheBrokerSendsOnceMoreIsTakenOnce) {
  const auto message = [this](const std::string& topic, bool duplicate) {
    intake_.OnMessage(topic, "{}", 2, false, {.packet_id = 9, .duplicate = duplicate});
  };
  message(kUpdate, false);
  message(kUpdate, true);
  EXPECT_EQ(Requests(), 1u);
  message("plant/user/a", false);
  message("plant/user/a", true);
  EXPECT_EQ(store_->stats().uploads.entries, 1);
  EXPECT_EQ(metrics_.repeated.Value(), 2);
}

TEST_F(IntakeTest, ARequestThatTheDiskDoesNotTakeIsDoneAllTheSame) {
  disk_.SetCapacity(disk_.UsedBytes());
  for (int i = 1; metrics_.requests_unlogged.Value() == 0; ++i) {
    Message(kUpdate, std::string(1400, 'x'));
    ASSERT_EQ(Requests(), 1u);
    absl::MutexLock lock(&mutex_);
    intake_.Release(requests_.back());
    requests_.pop_back();
  }
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
    intake_.Release(requests_.front());
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
