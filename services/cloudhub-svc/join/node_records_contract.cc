#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "services/cloudhub-svc/join/stores_contract.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {

void NodeRecordsContract::SetUp() {
  StoresContract::SetUp();
  for (const char* id : {"any", "for-n1"}) {
    TokenRecord token = {.id = id,
                         .secret_hash = "hash",
                         .create_time = clock_.Now(),
                         .expire_time = clock_.Now() + absl::Hours(1)};
    if (token.id == "for-n1") token.node = Node();
    ASSERT_THAT(tokens().Create(token), testing::IsOk());
  }
}

namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;

// cloudhub-1.6: what was lost is learned at the link, and holds at the join port too.
TEST_P(NodeRecordsContract, ANameThatLinksIsItsKeysFromThenOn) {
  EXPECT_THAT(Link("k1"), IsOk());
  Open();
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Join("any", "k2"), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_THAT(Join("any", "k1"), IsOk());
  EXPECT_THAT(Link("k1"), IsOk());
}

TEST_P(NodeRecordsContract, ANameThatJoinedIsItsKeysAtTheLink) {
  EXPECT_THAT(Join("any", "k1"), IsOk());
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k1"), IsOk());
}

// cloudhub-1.7
TEST_P(NodeRecordsContract, TheKeyThatLinkedStaysGoodUntilAJoinHasReachedTheBox) {
  EXPECT_THAT(Link("k1"), IsOk());
  EXPECT_THAT(Join("for-n1", "k2"), IsOk());
  EXPECT_THAT(Join("for-n1", "k3"), IsOk()) << "the answer to k2 was lost";
  EXPECT_THAT(Link("k1"), IsOk());
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k3"), IsOk());
  Open();
  EXPECT_THAT(Link("k1"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k3"), IsOk());
}

// join-1.10
TEST_P(NodeRecordsContract, ANextKeyIsTheOnlyOneOnceItHasLinked) {
  LinkingBox box = {.node = Node(), .key_hash = "k1", .boot_id = "box"};
  ASSERT_THAT(records().Admit(box), IsOk());
  ASSERT_THAT(records().EpochStored(box, 7), IsOkAndHolds(false));
  for (const char* next : {"k2", "k3"})
    ASSERT_THAT(tokens().BeginRotation(Node(), "k1", next, clock_.Now()), IsOk());
  EXPECT_THAT(Link("k1"), IsOk()) << "no answer has reached the box";
  EXPECT_THAT(Link("k3"), IsOk());
  Open();
  for (const char* gone : {"k1", "k2"}) EXPECT_THAT(Link(gone), HasReason("NODE_KEY_WRONG"));
  box.key_hash = "k3";
  box.stored_epoch = 7;
  EXPECT_THAT(records().Admit(box), IsOk());
}

// A join that has reached the box ends the old key, though it renews before it links.
TEST_P(NodeRecordsContract, AKeyThatJoinedMayBeReplacedBeforeItLinks) {
  EXPECT_THAT(Link("k1"), IsOk());
  EXPECT_THAT(Join("for-n1", "k2"), IsOk());
  EXPECT_THAT(tokens().BeginRotation(Node(), "k2", "k3", clock_.Now()), IsOk());
  EXPECT_THAT(Link("k2"), IsOk());
  EXPECT_THAT(Link("k1"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k3"), IsOk()) << "a link takes no key away that was issued";
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
}

// cloudhub-1.8: what tells copies apart outlives the hub.
TEST_P(NodeRecordsContract, ACopyIsKnownAfterARestartOfTheHub) {
  LinkingBox box = {.node = Node(), .key_hash = "k1", .boot_id = "box"};
  ASSERT_THAT(records().Admit(box), IsOk());
  EXPECT_THAT(records().EpochStored(box, 7), IsOkAndHolds(false));
  box.stored_epoch = 7;
  LinkingBox copy = box;
  copy.boot_id = "copy";
  ASSERT_THAT(records().Admit(copy), IsOk());
  EXPECT_THAT(records().EpochStored(copy, 8), IsOkAndHolds(false));
  copy.stored_epoch = 8;
  Open();
  ASSERT_THAT(records().Admit(box), IsOk());
  EXPECT_THAT(records().EpochStored(box, 9), IsOkAndHolds(true));
  Open();
  EXPECT_THAT(records().Admit(copy), HasReason("NODE_CLONED"));
  EXPECT_THAT(Join("any", "k1"), IsOk()) << "a join with the same key changes nothing of it";
  EXPECT_THAT(records().Admit(copy), HasReason("NODE_CLONED"));
  EXPECT_THAT(Join("for-n1", "k2"), IsOk());
  copy.key_hash = "k2";
  EXPECT_THAT(records().Admit(copy), IsOk());
}

// link-2.1: with restarts, and a clock that is set back.
TEST_P(NodeRecordsContract, EpochsOfANodeGoUp) {
  uint64_t last = 0;
  for (int i = 0; i < 1100; ++i) {
    if (i == 5) clock_.SetNow(absl::FromUnixSeconds(1));
    if (i % 500 == 5) Open();
    const absl::StatusOr<uint64_t> epoch = records().Admit({Node(), "k1"});
    ASSERT_THAT(epoch, IsOk());
    ASSERT_GT(*epoch, last);
    last = *epoch;
  }
}

// So that a hub whose store was lost gives greater ones than before.
TEST_P(NodeRecordsContract, EpochsStartAtThePresentTime) {
  EXPECT_GE(static_cast<int64_t>(*records().Admit({Node(), "k1"})),
            absl::ToUnixMicros(clock_.Now()));
}

TEST_P(NodeRecordsContract, OfManyAtOnceEachGetsAnEpochOfItsOwn) {
  std::vector<std::vector<uint64_t>> epochs(4);
  std::vector<std::thread> threads;
  for (std::vector<uint64_t>& given : epochs) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) given.push_back(records().Admit({Node(), "k1"}).value_or(0));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const std::vector<uint64_t>& given : epochs) {
    EXPECT_TRUE(std::is_sorted(given.begin(), given.end()));
    all.insert(given.begin(), given.end());
  }
  EXPECT_EQ(all.size(), 80u);
  EXPECT_EQ(all.count(0), 0u);
}

// cloudhub-3.3
TEST_P(NodeRecordsContract, ADisabledNodeIsNotAdmitted) {
  ASSERT_THAT(Link("k1"), IsOk());
  ASSERT_THAT(tokens().SetDisabled(Node(), true), IsOk());
  EXPECT_THAT(Link("k1"), HasReason("NODE_DISABLED"));
  ASSERT_THAT(tokens().SetDisabled(Node(), false), IsOk());
  EXPECT_THAT(Link("k1"), IsOk());
}

}  // namespace
}  // namespace skerry::cloudhub
