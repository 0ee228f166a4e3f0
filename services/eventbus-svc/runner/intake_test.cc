#include "services/eventbus-svc/runner/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/eventbus-svc/testing/journal_fixture.h"

namespace skerry::eventbus {
namespace {

constexpr char kUpdate[] = "$hw/events/device/plant/pump-1/twin/update";

class IntakeTest : public JournalFixture {
 protected:
  void Message(const std::string& topic, const std::string& payload, bool retained = false) {
    intake_.OnMessage(topic, payload, payload.size(), retained, {});
  }
  // Those that came, which are gone from here then.
  std::vector<Request> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(requests_, {});
  }
  size_t Requests() {
    absl::MutexLock lock(&mutex_);
    return requests_.size();
  }

  std::unique_ptr<RequestLog> requests_log_ = *RequestLog::Open("requests.db", 1 << 20, {&disk_});
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
  const std::vector<Request> taken = Take();
  EXPECT_EQ(taken[0].write_id, "id-1");
  intake_.Release(taken[1]);
  Message(kUpdate, "4");
  Intake next(
      {.node = *NodeName::Parse("edge-1"), .requests_bytes_max = 2000}, *journal_, *requests_log_,
      [] { return ""; },
      [this](Request request) {
        absl::MutexLock lock(&mutex_);
        requests_.push_back(std::move(request));
      },
      clock_, metrics_, log::Logger::Null());
  Take();
  next.Resume();
  const std::vector<Request> again = Take();
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].payload, "1");
  EXPECT_EQ(again[0].write_id, "id-1") << "twin-svc takes it as the same write";
  EXPECT_EQ(again[1].payload, "3");
  EXPECT_EQ(again[2].payload, "4");
  EXPECT_TRUE(std::holds_alternative<TwinUpdateTopic>(again[2].topic));
  EXPECT_EQ(metrics_.requests_resumed.Value(), 3);
  for (const Request& request : again) next.Release(request);
  EXPECT_EQ(requests_log_->waiting(), 0u);
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
    const std::vector<Request> taken = Take();
    ASSERT_EQ(taken.size(), 1u);
    intake_.Release(taken[0]);
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

// [eb-3.5] Nobody waits: Paho's thread has its lock here.
TEST_F(IntakeTest, WhatHasNoRoomInMemoryWaitsInTheLogAndKeepsItsPlace) {
  for (int i = 1; i <= 7; ++i) Message(kUpdate, absl::StrCat(i));
  EXPECT_EQ(Requests(), 3u);
  EXPECT_EQ(metrics_.requests_deferred.Value(), 4);
  std::string payloads;
  for (std::vector<Request> taken = Take(); !taken.empty(); taken = Take()) {
    for (const Request& request : taken) {
      payloads += request.payload;
      intake_.Release(request);
      if (payloads.size() == 2) Message(kUpdate, "8");
    }
  }
  EXPECT_EQ(payloads, "12345678");
  EXPECT_EQ(metrics_.refused_busy.Value(), 0);
  EXPECT_EQ(metrics_.requests_waiting_bytes.Value(), 0);
  Message(kUpdate, "9");
  EXPECT_EQ(Requests(), 1u) << "there is room again";
}

// Where nothing is under way, nobody's answer makes room: the next request has to try again.
TEST_F(IntakeTest, ALogThatCouldNotBeReadIsReadWithTheNextRequest) {
  for (int i = 0; i < 6; ++i) {  // More than SQLite keeps in memory.
    ASSERT_TRUE(requests_log_->Add(kUpdate, std::string(100 << 10, '1'), "id", {}).ok());
  }
  requests_log_.reset();
  requests_log_ = *RequestLog::Open("requests.db", 1 << 20, {&disk_});
  Intake next(
      {.node = *NodeName::Parse("edge-1"), .requests_bytes_max = 1 << 20}, *journal_,
      *requests_log_, [] { return ""; },
      [this](Request request) {
        absl::MutexLock lock(&mutex_);
        requests_.push_back(std::move(request));
      },
      clock_, metrics_, log::Logger::Null());
  disk_.FailIn(0, 1000);
  next.Resume();
  disk_.FailIn(0, 0);
  ASSERT_EQ(Requests(), 0u);
  next.OnMessage(kUpdate, "2", 1, false, {});
  EXPECT_EQ(Requests(), 7u) << "those that could not be read, and the one after them";
  EXPECT_EQ(metrics_.requests_resumed.Value(), 6);
}

TEST_F(IntakeTest, WhatHasNoRoomInTheLogIsDropped) {
  for (int i = 0; metrics_.refused_busy.Value() == 0; ++i) {
    Message(kUpdate, std::string(100 << 10, 'x'));
    ASSERT_LT(i, 20);
  }
  EXPECT_LE(Requests(), 1u);
}

TEST_F(IntakeTest, WhatComesAfterCloseIsForTheNextProcess) {
  intake_.Close();
  Message(kUpdate, "late");
  EXPECT_EQ(Requests(), 0u);
  const auto entries = requests_log_->Read(0, 1 << 20);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->front().payload, "late");
}

}  // namespace
}  // namespace skerry::eventbus
