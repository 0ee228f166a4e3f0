#include "services/eventbus-svc/runner/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "absl/synchronization/notification.h"
#include "services/eventbus-svc/testing/journal_fixture.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;

class JournalTest : public JournalFixture {
 protected:
  JournalTest() : JournalFixture({.waiting_bytes_max = 4096}) {}

  // The journal's thread does nothing until this ends.
  struct Held {
    explicit Held(Journal& journal) {
      absl::Notification holds;
      journal.ReadUploads(0, 1, 1, [&, this](auto) {
        holds.Notify();
        released.WaitForNotification();
      });
      holds.WaitForNotification();
    }
    ~Held() { released.Notify(); }
    absl::Notification released;
  };
};

TEST_F(JournalTest, WhatWaitsIsOneCommitInOrder) {
  {
    Held held(*journal_);
    for (const char* payload : {"1", "2", "3"}) {
      journal_->Submit({.publish = {{.topic = "a", .payload = payload}}});
    }
  }
  EXPECT_THAT(Waiting(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(metrics_.commits_ok.Value(), 1);
}

TEST_F(JournalTest, WhatIsTooMuchIsRefusedAndTheRestGoesOn) {
  const BusChange large = {.publish = {{.topic = "a", .payload = std::string(3000, 'x')}}};
  std::atomic<int> done = 0;
  {
    Held held(*journal_);
    journal_->Submit(large, [&](const absl::Status& status) { done += status.ok(); });
    EXPECT_THAT(Commit(large), HasReason("BUS_BUSY"));
  }
  EXPECT_THAT(Commit({.publish = {{.topic = "a", .payload = "next"}}}), IsOk());
  EXPECT_EQ(done, 1);
  EXPECT_EQ(metrics_.publications_dropped_store.Value(), 1);
}

TEST_F(JournalTest, OneThatHasNoRoomTakesNoOtherWithIt) {
  disk_.SetCapacity(disk_.UsedBytes() + (64 << 10));
  absl::Notification refused, stored;
  {
    Held held(*journal_);
    journal_->Submit({.publish = {{.topic = "small", .payload = "s"}}},
                     [&](const absl::Status& status) {
                       EXPECT_THAT(status, IsOk());
                       stored.Notify();
                     });
  }
  stored.WaitForNotification();
  // One that is larger than the bound has its turn alone.
  EXPECT_THAT(Commit({.publish = {{.topic = "a", .payload = std::string(4 << 20, 'x')}}}),
              HasReason("DATABASE_FULL"));
  EXPECT_THAT(Waiting(), ElementsAre("s"));
  EXPECT_EQ(metrics_.commits_failed.Value(), 1);
}

TEST_F(JournalTest, AfterStopEverythingIsRefused) {
  journal_->Stop();
  EXPECT_THAT(Commit({.publish = {{.topic = "a"}}}), HasReason("DRAINING"));
}

TEST_F(JournalTest, OldOnesAreDroppedByTheMinute) {
  ASSERT_THAT(Commit({.publish = {{.topic = "a", .payload = "old"}}}), IsOk());
  clock_.Advance(absl::Hours(25));
  EXPECT_THAT(Waiting(), ElementsAre());
  EXPECT_EQ(metrics_.publications_dropped_expired.Value(), 1);
}

}  // namespace
}  // namespace skerry::eventbus
