#include "services/eventbus-svc/store/sqlite_bus_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const DeviceName kPump = *DeviceName::Make("plant", "pump-1");

class SqliteBusStoreTest : public ::testing::Test {
 protected:
  SqliteBusStoreTest() { Open(); }

  void Open(const std::string& new_id = "store-1") {
    store_.reset();
    auto store = SqliteBusStore::Open("eventbus.db", bounds_, new_id, clock_, {&disk_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  SqliteBusStore::Dropped Apply(const BusChange& change) {
    auto dropped = store_->Apply({&change});
    EXPECT_THAT(dropped, IsOk());
    return dropped.ok() ? *dropped : SqliteBusStore::Dropped{};
  }
  // "topic=payload" of all that wait.
  std::vector<std::string> Publications(uint64_t after = 0) {
    std::vector<std::string> shown;
    const auto publications = store_->ReadPublications(after, 100, 1 << 20);
    for (const auto& [id, publication] : *publications) {
      shown.push_back(publication.topic + "=" + publication.payload);
      last_id_ = id;
    }
    return shown;
  }
  std::vector<std::string> Uploads(uint64_t after = 0) {
    std::vector<std::string> shown;
    const auto uploads = store_->ReadUploads(after, 100, 1 << 20);
    for (const auto& [sequence, upload] : *uploads) {
      shown.push_back(upload.topic + "=" + upload.payload);
      last_sequence_ = sequence;
    }
    return shown;
  }

  testing::FakeClock clock_;
  SimDisk disk_{1};
  BusBounds bounds_;
  std::unique_ptr<SqliteBusStore> store_;
  uint64_t last_id_ = 0;
  uint64_t last_sequence_ = 0;
};

TEST_F(SqliteBusStoreTest, PublicationsWaitInOrderUntilTheBrokerHasThem) {
  Apply({.publish = {{"a", "1"}, {"b", "2", true}, {"a", "3"}}});
  EXPECT_THAT(Publications(), ElementsAre("a=1", "b=2", "a=3"));
  const auto page = *store_->ReadPublications(0, 2, 1 << 20);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_TRUE(page[1].publication.retain);
  EXPECT_THAT(Publications(page[1].id), ElementsAre("a=3"));
  EXPECT_EQ(store_->ReadPublications(0, 100, 1)->size(), 1u);  // Never less than one.
  Apply({.published = {page[0].id, page[1].id}});
  Open();
  EXPECT_THAT(Publications(), ElementsAre("a=3"));
  EXPECT_EQ(store_->stats().publications.entries, 1);
}

TEST_F(SqliteBusStoreTest, OfAStateOnlyTheNewestWaits) {
  EXPECT_EQ(Apply({.publish = {{"delta", "1", false, true}, {"x", "1"}}}).replaced, 0);
  EXPECT_EQ(Apply({.publish = {{"delta", "2", false, true}}}).replaced, 1);
  EXPECT_THAT(Publications(), ElementsAre("delta=2", "x=1"));
  EXPECT_EQ(Apply({.withdrawn = {"delta"}}).replaced, 1);
  EXPECT_THAT(Publications(), ElementsAre("x=1"));
  EXPECT_EQ(store_->stats().publications.entries, 1);
}

TEST_F(SqliteBusStoreTest, NumbersAreNeverGivenAgain) {
  Apply({.publish = {{"a", "1"}}, .receive = {{"u", "1", clock_.Now()}}});
  Publications();
  Uploads();
  const uint64_t id = last_id_, sequence = last_sequence_;
  Apply({.published = {id}, .uploaded = sequence});
  Open();
  EXPECT_THAT(Publications(), IsEmpty());
  Apply({.publish = {{"a", "2"}}, .receive = {{"u", "2", clock_.Now()}}});
  Publications();
  Uploads();
  EXPECT_GT(last_id_, id);
  EXPECT_GT(last_sequence_, sequence);
  EXPECT_EQ(store_->id(), "store-1");
}

TEST_F(SqliteBusStoreTest, TheOldestMakeRoom) {
  bounds_.publications_bytes_max = bounds_.uploads_bytes_max = 3 * (64 + 11);
  Open();
  const std::string ten(10, 'v');
  for (int i = 0; i < 3; ++i) Apply({.publish = {{"a", ten}}, .receive = {{"u", ten, {}}}});
  const auto dropped = Apply({.publish = {{"b", ten}}, .receive = {{"w", ten, {}}}});
  EXPECT_EQ(dropped.publications, 1);
  EXPECT_EQ(dropped.uploads, 1);
  EXPECT_THAT(Publications(), ElementsAre("a=" + ten, "a=" + ten, "b=" + ten));
  EXPECT_THAT(Uploads(), ElementsAre("u=" + ten, "u=" + ten, "w=" + ten));
  // What is larger than everything takes no other one with it.
  EXPECT_EQ(Apply({.publish = {{"c", std::string(1000, 'v')}}}).publications, 1);
  EXPECT_EQ(store_->stats().publications.entries, 3);
}

TEST_F(SqliteBusStoreTest, WhatIsTooOldIsDroppedByTheTimeTheStoreWasOpen) {
  bounds_.age_max = absl::Hours(2);
  Open();
  Apply({.publish = {{"a", "1"}}, .receive = {{"u", "1", clock_.Now()}}});
  clock_.Advance(absl::Hours(1));
  Apply({.publish = {{"a", "2"}}});
  Open();
  clock_.SetNow(clock_.Now() + absl::Hours(10000));  // The wall clock counts for nothing.
  EXPECT_EQ(store_->DropExpired()->publications, 0);
  clock_.Advance(absl::Minutes(61));
  const auto dropped = store_->DropExpired();
  EXPECT_EQ(dropped->publications, 1);
  EXPECT_EQ(dropped->uploads, 1);
  EXPECT_THAT(Publications(), ElementsAre("a=2"));
}

TEST_F(SqliteBusStoreTest, SeenTwinsAreKept) {
  const DeviceName other = *DeviceName::Make("plant", "fan");
  Apply({.seen = {{kPump, SeenTwin{"u1", 7}}, {other, SeenTwin{"u2", 1}}}});
  Apply({.seen = {{kPump, SeenTwin{"u1", 9}}, {other, std::nullopt}}});
  Open();
  const auto seen = store_->ReadSeen();
  ASSERT_THAT(seen, IsOk());
  EXPECT_THAT(*seen, ElementsAre(Pair(kPump, SeenTwin{"u1", 9})));
}

// A device that tells more than the broker takes must not hold up its own delta for ever.
TEST_F(SqliteBusStoreTest, AStateThatReplacesAnotherOneTakesItsPlace) {
  const Publication one{.topic = "s", .payload = "1", .state = true};
  const Publication two{.topic = "s", .payload = "2", .state = true};
  Apply({.publish = {{"a", "1"}, one, {"a", "2"}}});
  Apply({.publish = {two}});
  EXPECT_THAT(Publications(), ElementsAre("a=1", "s=2", "a=2"));
}

// It may be with the broker: the new one is another publication.
TEST_F(SqliteBusStoreTest, AStateThatWasReadIsFollowedByTheNextOne) {
  const Publication one{.topic = "s", .payload = "1", .state = true};
  const Publication two{.topic = "s", .payload = "2", .state = true};
  Apply({.publish = {one, {"a", "1"}}});
  const auto page = store_->ReadPublications(0, 1, 1 << 20);
  ASSERT_THAT(page, IsOk());
  Apply({.publish = {two}});
  Apply({.published = {page->front().id}});
  EXPECT_THAT(Publications(), ElementsAre("a=1", "s=2"));
}

TEST_F(SqliteBusStoreTest, SubscriptionsOfRulesAreKept) {
  Apply({.rule_filters = {{"ns/a", true}, {"ns/b", true}}});
  Apply({.rule_filters = {{"ns/a", false}, {"ns/b", true}, {"ns/none", false}}});
  Open();
  const auto filters = store_->ReadRuleFilters();
  ASSERT_THAT(filters, IsOk());
  EXPECT_THAT(*filters, ElementsAre("ns/b"));
}

TEST_F(SqliteBusStoreTest, AFullDiskChangesNothing) {
  Apply({.publish = {{"a", "1"}}});
  disk_.SetCapacity(disk_.UsedBytes() + 4096);
  const BusChange large = {.publish = {{"a", std::string(8 << 20, 'v')}}};
  EXPECT_THAT(store_->Apply({&large}), HasReason("DATABASE_FULL"));
  EXPECT_EQ(store_->stats().publications.entries, 1);
  Publications();
  Apply({.published = {last_id_}});  // Emptying it goes on.
  EXPECT_THAT(Publications(), IsEmpty());
}

TEST_F(SqliteBusStoreTest, OfADamagedFileTheRestGoesOnUnderAnotherId) {
  for (int i = 0; i < 200; ++i) {
    Apply({.publish = {{"a", std::string(2000, 'p')}},
           .receive = {{"u", std::string(900, 'u'), {}}}});
  }
  store_.reset();
  disk_.Restart();
  int repaired = 0;
  for (int i = 0; i < 40 && repaired < 3; ++i) {
    disk_.Rot("eventbus.db");
    Open("store-after-" + std::to_string(i));
    if (!store_->repair().has_value()) continue;
    ++repaired;
    EXPECT_EQ(store_->id(), "store-after-" + std::to_string(i));
    EXPECT_GT(store_->stats().publications.entries, 0);
    const auto page = store_->ReadPublications(0, 1000, 64 << 20);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(static_cast<int64_t>(page->size()), store_->stats().publications.entries);
    for (const auto& each : *page) EXPECT_EQ(each.publication.payload, std::string(2000, 'p'));
  }
  EXPECT_GT(repaired, 0);
}

}  // namespace
}  // namespace skerry::eventbus
