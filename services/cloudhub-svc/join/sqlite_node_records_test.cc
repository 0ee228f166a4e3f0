#include "services/cloudhub-svc/join/sqlite_node_records.h"

#include <gtest/gtest.h>

#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;

class SqliteNodeRecordsTest : public ::testing::Test {
 protected:
  SqliteNodeRecordsTest() {
    Open();
    EXPECT_THAT(tokens_->Create({.id = "any",
                                 .secret_hash = "hash",
                                 .create_time = clock_.Now(),
                                 .expire_time = clock_.Now() + absl::Hours(1)}),
                IsOk());
    EXPECT_THAT(tokens_->Create({.id = "for-n1",
                                 .secret_hash = "hash",
                                 .create_time = clock_.Now(),
                                 .expire_time = clock_.Now() + absl::Hours(1),
                                 .node = Node()}),
                IsOk());
  }
  void Open() {
    records_.reset();
    tokens_.reset();
    tokens_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), true);
    records_ = *SqliteNodeRecords::Open(dir_.File("tokens.db"), clock_);
  }
  static NodeName Node() { return *NodeName::Parse("n1"); }
  absl::Status Link(const std::string& key) { return records_->Admit({Node(), key}); }
  absl::Status Join(const std::string& token, const std::string& key) {
    return tokens_->Redeem(token, "hash", {Node(), key}, clock_.Now()).status();
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  std::unique_ptr<SqliteTokenStore> tokens_;
  std::unique_ptr<SqliteNodeRecords> records_;
};

// cloudhub-1.6: what was lost is learned at the link, and holds at the join port too.
TEST_F(SqliteNodeRecordsTest, ANameThatLinksIsItsKeysFromThenOn) {
  EXPECT_THAT(Link("k1"), IsOk());
  Open();
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Join("any", "k2"), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_THAT(Join("any", "k1"), IsOk());
  EXPECT_THAT(Link("k1"), IsOk());
}

TEST_F(SqliteNodeRecordsTest, ANameThatJoinedIsItsKeysAtTheLink) {
  EXPECT_THAT(Join("any", "k1"), IsOk());
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k1"), IsOk());
}

// cloudhub-1.7
TEST_F(SqliteNodeRecordsTest, TheKeyThatLinkedStaysGoodUntilAJoinHasReachedTheBox) {
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
TEST_F(SqliteNodeRecordsTest, ANextKeyIsTheOnlyOneOnceItHasLinked) {
  LinkingBox box = {.node = Node(), .key_hash = "k1", .boot_id = "box"};
  ASSERT_THAT(records_->Admit(box), IsOk());
  ASSERT_THAT(records_->EpochStored(box, 7), IsOkAndHolds(false));
  for (const char* next : {"k2", "k3"})
    ASSERT_THAT(tokens_->BeginRotation(Node(), "k1", next, clock_.Now()), IsOk());
  EXPECT_THAT(Link("k1"), IsOk()) << "no answer has reached the box";
  EXPECT_THAT(Link("k3"), IsOk());
  Open();
  for (const char* gone : {"k1", "k2"}) EXPECT_THAT(Link(gone), HasReason("NODE_KEY_WRONG"));
  box.key_hash = "k3";
  box.stored_epoch = 7;
  EXPECT_THAT(records_->Admit(box), IsOk());
}

// A join that has reached the box ends the old key, though it renews before it links.
TEST_F(SqliteNodeRecordsTest, AKeyThatJoinedMayBeReplacedBeforeItLinks) {
  EXPECT_THAT(Link("k1"), IsOk());
  EXPECT_THAT(Join("for-n1", "k2"), IsOk());
  EXPECT_THAT(tokens_->BeginRotation(Node(), "k2", "k3", clock_.Now()), IsOk());
  EXPECT_THAT(Link("k2"), IsOk());
  EXPECT_THAT(Link("k1"), HasReason("NODE_KEY_WRONG"));
  EXPECT_THAT(Link("k3"), IsOk()) << "a link takes no key away that was issued";
  EXPECT_THAT(Link("k2"), HasReason("NODE_KEY_WRONG"));
}

// cloudhub-1.8: what tells copies apart outlives the hub.
TEST_F(SqliteNodeRecordsTest, ACopyIsKnownAfterARestartOfTheHub) {
  LinkingBox box = {.node = Node(), .key_hash = "k1", .boot_id = "box"};
  ASSERT_THAT(records_->Admit(box), IsOk());
  EXPECT_THAT(records_->EpochStored(box, 7), IsOkAndHolds(false));
  box.stored_epoch = 7;
  LinkingBox copy = box;
  copy.boot_id = "copy";
  ASSERT_THAT(records_->Admit(copy), IsOk());
  EXPECT_THAT(records_->EpochStored(copy, 8), IsOkAndHolds(false));
  copy.stored_epoch = 8;
  Open();
  ASSERT_THAT(records_->Admit(box), IsOk());
  EXPECT_THAT(records_->EpochStored(box, 9), IsOkAndHolds(true));
  Open();
  EXPECT_THAT(records_->Admit(copy), HasReason("NODE_CLONED"));
  EXPECT_THAT(Join("any", "k1"), IsOk()) << "a join with the same key changes nothing of it";
  EXPECT_THAT(records_->Admit(copy), HasReason("NODE_CLONED"));
  EXPECT_THAT(Join("for-n1", "k2"), IsOk());
  copy.key_hash = "k2";
  EXPECT_THAT(records_->Admit(copy), IsOk());
}

}  // namespace
}  // namespace skerry::cloudhub
