#include "services/eventbus-svc/runner/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/testing/journal_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PublisherTest : public JournalFixture {
 protected:
  PublisherTest() {
    journal_->SetListeners([this] { publisher_.Wake(); }, nullptr);
  }

  void Add(const std::string& payload, bool state = false) {
    ASSERT_THAT(Commit({.publish = {{.topic = "t", .payload = payload, .state = state}}}), IsOk());
  }
  void Connect() {
    executor_.Run([this] { publisher_.OnConnected(); });
    Settle();
  }
  void Disconnect() {
    executor_.Run([this] { publisher_.OnDisconnected(); });
    Settle();
  }
  void Answer(const std::string& payload, const absl::Status& status = absl::OkStatus()) {
    executor_.Run([&] {
      for (auto it = sent_.begin(); it != sent_.end(); ++it) {
        if (it->second != payload) continue;
        const uint64_t id = it->first;
        sent_.erase(it);
        return publisher_.OnPublished(id, status);
      }
      FAIL() << payload << " was not sent";
    });
    Settle();
  }
  // What is with the broker.
  std::vector<std::string> Sent() {
    std::vector<std::string> payloads;
    executor_.Run([&] {
      for (const auto& [id, payload] : sent_) payloads.push_back(payload);
    });
    return payloads;
  }
  void Lose() {
    executor_.Run([this] { sent_.clear(); });
  }

  std::vector<std::pair<uint64_t, std::string>> sent_;  // On the executor.
  Publisher publisher_{*journal_, executor_,
                       [this](uint64_t id, const Publication& publication) {
                         sent_.emplace_back(id, publication.payload);
                         return absl::OkStatus();
                       },
                       metrics_, log::Logger::Null()};
};

TEST_F(PublisherTest, WhatTheBrokerHasLeavesTheStore) {
  Add("1");
  Add("2");
  EXPECT_THAT(Sent(), IsEmpty());
  Connect();
  EXPECT_THAT(Sent(), ElementsAre("1", "2"));
  Add("3");
  Settle();
  EXPECT_THAT(Sent(), ElementsAre("1", "2", "3"));
  Answer("2");
  EXPECT_THAT(Waiting(), ElementsAre("1", "3"));
  EXPECT_EQ(metrics_.published.Value(), 1);
}

TEST_F(PublisherTest, WhatWasNotAcknowledgedGoesAgainInOrder) {
  Connect();
  for (const char* payload : {"1", "2", "3"}) Add(payload);
  Settle();
  Answer("1");
  Disconnect();
  Lose();
  Connect();
  EXPECT_THAT(Sent(), ElementsAre("2", "3"));
}

TEST_F(PublisherTest, AStateThatWasReplacedDoesNotGoAgain) {
  Connect();
  Add("old", true);
  Settle();
  EXPECT_THAT(Sent(), ElementsAre("old"));
  Disconnect();
  Lose();
  Add("new", true);
  Connect();
  EXPECT_THAT(Sent(), ElementsAre("new"));
}

TEST_F(PublisherTest, TheWindowIsBounded) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat(i));
  Connect();
  EXPECT_EQ(Sent().size(), 64u);
  Answer("0");
  EXPECT_EQ(Sent().size(), 64u);
  EXPECT_EQ(Sent().back(), "64");
}

TEST_F(PublisherTest, LargeOnesAreBoundedByBytes) {
  for (int i = 0; i < 6; ++i) Add(std::string(1 << 20, static_cast<char>('a' + i)));
  Connect();
  EXPECT_EQ(Sent().size(), 4u);
}

TEST_F(PublisherTest, WhatFailedIsTriedAgainAfterTheOthersHaveEnded) {
  Connect();
  Add("1");
  Add("2");
  Settle();
  Answer("1", absl::UnavailableError("x"));
  Add("3");
  Settle();
  EXPECT_THAT(Sent(), ElementsAre("2"));
  Answer("2");
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_THAT(Sent(), ElementsAre("1", "3"));
  EXPECT_EQ(metrics_.publish_failed.Value(), 1);
}

TEST_F(PublisherTest, WhatTheBrokerRefusesIsDroppedAndCounted) {
  Connect();
  Add("1");
  Settle();
  Answer("1", absl::PermissionDeniedError("acl"));
  EXPECT_THAT(Waiting(), IsEmpty());
  EXPECT_EQ(metrics_.publications_dropped_refused.Value(), 1);
}

TEST_F(PublisherTest, WhatIsToGoNowGoesNowOrNotAtAll) {
  absl::Status first = absl::InternalError("not told"), second = first;
  Connect();
  publisher_.PublishNow({.topic = "t", .payload = "now"},
                        [&](const absl::Status& status) { first = status; });
  publisher_.PublishNow({.topic = "t", .payload = "lost"},
                        [&](const absl::Status& status) { second = status; });
  Settle();
  EXPECT_THAT(Sent(), ElementsAre("now", "lost"));
  Answer("now");
  EXPECT_THAT(first, IsOk());
  Disconnect();
  EXPECT_THAT(second, HasReason("MQTT_OUTCOME_UNKNOWN"));
  Lose();
  Connect();
  EXPECT_THAT(Sent(), IsEmpty());
}

}  // namespace
}  // namespace skerry::eventbus
