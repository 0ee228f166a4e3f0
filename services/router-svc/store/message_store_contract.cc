#include "services/router-svc/store/message_store_contract.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
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

// What the tests ask a store, through one handle that may be opened again.
class StoreUnderTest {
 public:
  explicit StoreUnderTest(OpenStore open) : open_(std::move(open)) {}

  void Open(TableMessageStore::Bounds bounds = {}) {
    store_.reset();
    store_ = open_(bounds);
  }
  MessageStore* operator->() { return store_.get(); }
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

 private:
  const OpenStore open_;
  std::unique_ptr<MessageStore> store_;
};

// [rt-3.1]
TEST_P(MessageStoreContract, AcceptsEachEventOnce) {
  StoreUnderTest store(GetParam()());
  store.Open();
  EXPECT_EQ(store.Accept(1, {For("ns/a", "1"), For("ns/b", "1")}).waiting.size(), 2u);
  store.Accept(2, {For("ns/a", "2")});
  EXPECT_EQ(store.Accept(2, {For("ns/a", "2")}).repeated, 1);
  store.Open();
  EXPECT_EQ(store.Accept(1, {For("ns/a", "1")}).repeated, 1);
  store.Accept(3, {});
  EXPECT_EQ(store.Accept(3, {For("ns/a", "x")}).repeated, 1);
  EXPECT_THAT(store.Waiting("ns/a"), ElementsAre("1", "2"));
  EXPECT_THAT(store.Waiting("ns/b"), ElementsAre("1"));
  EXPECT_THAT(store->RulesWaiting(), ElementsAre("ns/a", "ns/b"));
  // Another stream, another node, a new store of the same node: sequences of their own.
  store.Accept(1, {For("ns/a", "3")}, {.node = "edge-1", .stream = "servicebus", .store_id = "s1"});
  store.Accept(1, {For("ns/a", "4")},
               {.node = "edge-2", .stream = "usermessages", .store_id = "s1"});
  store.Accept(1, {For("ns/a", "5")},
               {.node = "edge-1", .stream = "usermessages", .store_id = "s2"});
  EXPECT_THAT(store.Waiting("ns/a"), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_P(MessageStoreContract, KeepsWhatAMessageIs) {
  StoreUnderTest store(GetParam()());
  store.Open();
  store.Accept(1, {For("ns/a", std::string("\0\xff", 2))});
  store.Open();
  const std::vector<Message> waiting = *store->Waiting("ns/a", 1);
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].payload, std::string("\0\xff", 2));
  EXPECT_EQ(waiting[0].node, "edge-1");
  EXPECT_EQ(waiting[0].source, "ns/t");
  EXPECT_EQ(waiting[0].content_type, "text/plain");
  EXPECT_EQ(waiting[0].rule_uid, "u");
  EXPECT_EQ(waiting[0].receive_time, kNow);
  EXPECT_THAT(store->Remove({waiting[0].id, 999}), IsOk());
  EXPECT_THAT(store->RulesWaiting(), IsEmpty());
  EXPECT_EQ(store->stats().waiting_bytes, 0);
  EXPECT_EQ(store->stats().rule_waiting_bytes, 0);
}

// [rt-3.4]
TEST_P(MessageStoreContract, DeadLettersAreReplayedOrDropped) {
  StoreUnderTest store(GetParam()());
  store.Open();
  store.Accept(1, {For("ns/a", "1"), For("ns/a", "2"), For("ns/b", "3")});
  const std::vector<Message> waiting = *store->Waiting("ns/a", 10);
  EXPECT_THAT(store->Bury(waiting[0].id, "no", kNow + absl::Seconds(1)), IsOk());
  EXPECT_THAT(store->Bury(waiting[0].id, "no", kNow), HasReason("DEAD_LETTER_UNKNOWN"));
  store.Open();
  const std::vector<DeadLetter> letters = *store->Letters("ns/a", 0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].error, "no");
  EXPECT_EQ(letters[0].dead_time, kNow + absl::Seconds(1));
  EXPECT_GT(letters[0].id, waiting[1].id);
  EXPECT_THAT(store.Letters("ns/b"), IsEmpty());
  EXPECT_THAT(*store->Letters("", letters[0].id, 10), IsEmpty());
  EXPECT_EQ(*store->Replay(letters[0].id, kNow + absl::Seconds(2)), "ns/a");
  EXPECT_THAT(store.Waiting("ns/a"), ElementsAre("2", "1"));
  EXPECT_EQ((*store->Waiting("ns/a", 10))[1].key, "k-1");
  EXPECT_THAT(store->Replay(letters[0].id, kNow), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(store->Drop(letters[0].id), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(store->Bury(waiting[1].id, "no", kNow), IsOk());
  EXPECT_THAT(store->Drop(waiting[1].id), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(store->Drop((*store->Letters("", 0, 1))[0].id), IsOk());
  EXPECT_EQ(store->stats().letters, 0);
  EXPECT_EQ(store->stats().letter_bytes, 0);
}

// [rt-3.5]
TEST_P(MessageStoreContract, BoundsARuleAndTheDead) {
  StoreUnderTest store(GetParam()());
  store.Open({.rule_bytes_max = 2000, .letter_bytes_max = 3000});
  const std::string large(1000, 'x');
  store.Accept(1, {For("ns/a", "1" + large)});
  const Accepted accepted = store.Accept(2, {For("ns/a", "2" + large), For("ns/b", "3" + large)});
  EXPECT_EQ(accepted.overflowed.at("ns/a"), 1);
  EXPECT_EQ(accepted.waiting.at("ns/b"), 1);
  EXPECT_GT(store->stats().rule_waiting_bytes, 1000);
  EXPECT_EQ(store->stats().waiting_bytes, 2 * store->stats().rule_waiting_bytes);
  EXPECT_THAT(store.Letters(), ElementsAre("2" + large));
  EXPECT_THAT(store->Replay((*store->Letters("", 0, 1))[0].id, kNow), HasReason("RULE_QUEUE_FULL"));
  store.Accept(3, {For("ns/a", "4" + large)});
  EXPECT_EQ(store.Accept(4, {For("ns/a", "5" + large)}).letters_dropped, 1);
  EXPECT_THAT(store.Letters(), ElementsAre("4" + large, "5" + large));
  // It is the oldest message, and the latest dead letter.
  EXPECT_EQ(*store->Bury((*store->Waiting("ns/a", 1))[0].id, "no", kNow), 1);
  EXPECT_THAT(store.Letters(), ElementsAre("5" + large, "1" + large));
  store.Open({.rule_bytes_max = 2000, .letter_bytes_max = 3000});
  EXPECT_EQ(store->stats().letters, 2);
}

}  // namespace
}  // namespace skerry::router
