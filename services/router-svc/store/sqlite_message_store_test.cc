#include "services/router-svc/store/sqlite_message_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const EventSource kSource{.node = "edge-1", .stream = "usermessages", .store_id = "s1"};

NewMessage For(const std::string& rule, const std::string& payload) {
  return {.rule = rule,
          .rule_uid = "u",
          .key = absl::StrCat("k-", payload.substr(0, 16)),
          .node = "edge-1",
          .source = "ns/t",
          .content_type = "text/plain",
          .payload = payload};
}

class SqliteMessageStoreTest : public ::testing::Test {
 protected:
  void Open(SqliteMessageStore::Bounds bounds = {}) {
    store_.reset();
    auto store = SqliteMessageStore::Open("router.db", bounds, {&disk_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  Accepted Accept(uint64_t sequence, std::vector<NewMessage> messages,
                  EventSource source = kSource) {
    auto accepted =
        store_->Accept(source, {{.sequence = sequence, .messages = std::move(messages)}}, kNow);
    EXPECT_THAT(accepted, IsOk());
    return *accepted;
  }
  std::vector<std::string> Waiting(const std::string& rule) {
    std::vector<std::string> payloads;
    const auto waiting = store_->Waiting(rule, 100);
    for (const Message& m : *waiting) payloads.push_back(m.payload);
    return payloads;
  }
  std::vector<std::string> Letters(const std::string& rule = "") {
    std::vector<std::string> payloads;
    const auto letters = store_->Letters(rule, 0, 100);
    for (const DeadLetter& l : *letters) payloads.push_back(l.payload);
    return payloads;
  }

  SimDisk disk_{1};
  std::unique_ptr<SqliteMessageStore> store_;
};

// [rt-3.1]
TEST_F(SqliteMessageStoreTest, AcceptsEachEventOnce) {
  Open();
  EXPECT_EQ(Accept(1, {For("ns/a", "1"), For("ns/b", "1")}).waiting.size(), 2u);
  Accept(2, {For("ns/a", "2")});
  EXPECT_EQ(Accept(2, {For("ns/a", "2")}).repeated, 1);
  Open();
  EXPECT_EQ(Accept(1, {For("ns/a", "1")}).repeated, 1);
  Accept(3, {});
  EXPECT_EQ(Accept(3, {For("ns/a", "x")}).repeated, 1);
  EXPECT_THAT(Waiting("ns/a"), ElementsAre("1", "2"));
  EXPECT_THAT(Waiting("ns/b"), ElementsAre("1"));
  EXPECT_THAT(store_->RulesWaiting(), ElementsAre("ns/a", "ns/b"));
  // Another stream, another node, a new store of the same node: sequences of their own.
  Accept(1, {For("ns/a", "3")}, {.node = "edge-1", .stream = "servicebus", .store_id = "s1"});
  Accept(1, {For("ns/a", "4")}, {.node = "edge-2", .stream = "usermessages", .store_id = "s1"});
  Accept(1, {For("ns/a", "5")}, {.node = "edge-1", .stream = "usermessages", .store_id = "s2"});
  EXPECT_THAT(Waiting("ns/a"), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(SqliteMessageStoreTest, KeepsWhatAMessageIs) {
  Open();
  Accept(1, {For("ns/a", std::string("\0\xff", 2))});
  Open();
  const std::vector<Message> waiting = *store_->Waiting("ns/a", 1);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].payload, std::string("\0\xff", 2));
  EXPECT_EQ(waiting[0].node, "edge-1");
  EXPECT_EQ(waiting[0].source, "ns/t");
  EXPECT_EQ(waiting[0].content_type, "text/plain");
  EXPECT_EQ(waiting[0].rule_uid, "u");
  EXPECT_EQ(waiting[0].receive_time, kNow);
  EXPECT_THAT(store_->Remove({waiting[0].id, 999}), IsOk());
  EXPECT_THAT(store_->RulesWaiting(), IsEmpty());
  EXPECT_EQ(store_->stats().waiting_bytes, 0);
}

// [rt-3.4]
TEST_F(SqliteMessageStoreTest, DeadLettersAreReplayedOrDropped) {
  Open();
  Accept(1, {For("ns/a", "1"), For("ns/a", "2"), For("ns/b", "3")});
  const std::vector<Message> waiting = *store_->Waiting("ns/a", 10);
  EXPECT_THAT(store_->Bury(waiting[0].id, "no", kNow + absl::Seconds(1)), IsOk());
  EXPECT_THAT(store_->Bury(waiting[0].id, "no", kNow), HasReason("DEAD_LETTER_UNKNOWN"));
  Open();
  const std::vector<DeadLetter> letters = *store_->Letters("ns/a", 0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].error, "no");
  EXPECT_EQ(letters[0].dead_time, kNow + absl::Seconds(1));
  EXPECT_EQ(letters[0].id, waiting[0].id);
  EXPECT_THAT(Letters("ns/b"), IsEmpty());
  EXPECT_THAT(*store_->Letters("", letters[0].id, 10), IsEmpty());
  EXPECT_EQ(*store_->Replay(letters[0].id, kNow + absl::Seconds(2)), "ns/a");
  EXPECT_THAT(Waiting("ns/a"), ElementsAre("2", "1"));
  EXPECT_EQ((*store_->Waiting("ns/a", 10))[1].key, "k-1");
  EXPECT_THAT(store_->Replay(letters[0].id, kNow), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(store_->Drop(letters[0].id), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(store_->Bury(waiting[1].id, "no", kNow), IsOk());
  EXPECT_THAT(store_->Drop(waiting[1].id), IsOk());
  EXPECT_EQ(store_->stats().letters, 0);
  EXPECT_EQ(store_->stats().letter_bytes, 0);
}

// [rt-3.5]
TEST_F(SqliteMessageStoreTest, BoundsARuleAndTheDead) {
  Open({.rule_bytes_max = 2000, .letter_bytes_max = 3000});
  const std::string large(1000, 'x');
  Accept(1, {For("ns/a", "1" + large)});
  const Accepted accepted = Accept(2, {For("ns/a", "2" + large), For("ns/b", "3" + large)});
  EXPECT_EQ(accepted.overflowed.at("ns/a"), 1);
  EXPECT_EQ(accepted.waiting.at("ns/b"), 1);
  EXPECT_THAT(Letters(), ElementsAre("2" + large));
  EXPECT_THAT(store_->Replay((*store_->Letters("", 0, 1))[0].id, kNow),
              HasReason("RULE_QUEUE_FULL"));
  Accept(3, {For("ns/a", "4" + large)});
  EXPECT_EQ(Accept(4, {For("ns/a", "5" + large)}).letters_dropped, 1);
  EXPECT_THAT(Letters(), ElementsAre("4" + large, "5" + large));
  EXPECT_EQ(*store_->Bury((*store_->Waiting("ns/a", 1))[0].id, "no", kNow), 1);
  Open({.rule_bytes_max = 2000, .letter_bytes_max = 3000});
  EXPECT_EQ(store_->stats().letters, 2);
}

TEST_F(SqliteMessageStoreTest, SaysThatTheFileIsFull) {
  Open({.size_bytes_max = 64 << 10});
  const auto full = store_->Accept(
      kSource, {{.sequence = 1, .messages = {For("ns/a", std::string(100'000, 'x'))}}}, kNow);
  EXPECT_THAT(full, HasReason("DATABASE_FULL"));
  EXPECT_THAT(Waiting("ns/a"), IsEmpty());
  EXPECT_EQ(Accept(1, {For("ns/a", "small")}).repeated, 0);
}

// What was answered is there after a power cut at any write, and nothing twice.
TEST(SqliteMessageStoreCrashTest, SurvivesACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    SimDisk disk(seed);
    disk.CutPowerIn(static_cast<int64_t>(random() % 150));
    uint64_t stored = 0;
    auto store = SqliteMessageStore::Open("router.db", {}, {&disk});
    for (uint64_t i = 1; store.ok() && i <= 30; ++i) {
      if (!(*store)
               ->Accept(kSource, {{.sequence = i, .messages = {For("ns/a", absl::StrCat(i))}}},
                        kNow)
               .ok())
        break;
      stored = i;
    }
    if (store.ok()) store->reset();
    disk.Restart();
    auto after = SqliteMessageStore::Open("router.db", {}, {&disk});
    ASSERT_THAT(after, IsOk());
    ASSERT_FALSE((*after)->repair().has_value());
    std::vector<NewEvent> again;
    for (uint64_t i = 1; i <= 31; ++i)
      again.push_back({.sequence = i, .messages = {For("ns/a", absl::StrCat(i))}});
    const auto accepted = (*after)->Accept(kSource, again, kNow);
    ASSERT_THAT(accepted, IsOk());
    ASSERT_GE(accepted->repeated, static_cast<int64_t>(stored));
    const std::vector<Message> waiting = *(*after)->Waiting("ns/a", 100);
    ASSERT_THAT(waiting, SizeIs(31));
    for (uint64_t i = 0; i < 31; ++i) ASSERT_EQ(waiting[i].payload, absl::StrCat(i + 1));
  }
}

}  // namespace
}  // namespace skerry::router
