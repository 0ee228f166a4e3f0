#include <gtest/gtest.h>

#include <string>

#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/stores_contract.h"
#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;

class SqliteStores final : public StoresHarness {
 public:
  Stores Open(Clock& clock) override {
    auto tokens = SqliteTokenStore::Open(dir_.File("tokens.db"), true);
    EXPECT_THAT(tokens, IsOk());
    auto records = SqliteNodeRecords::Open(dir_.path(), clock);
    EXPECT_THAT(records, IsOk());
    return {*std::move(tokens), *std::move(records)};
  }

 private:
  testing::TempDir dir_;
};

std::unique_ptr<StoresHarness> MakeStores() { return std::make_unique<SqliteStores>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, TokenStoreContract, ::testing::Values(MakeStores));
INSTANTIATE_TEST_SUITE_P(Sqlite, NodeRecordsContract, ::testing::Values(MakeStores));

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

JoiningNode Joining(const std::string& key_hash) {
  return {.name = *NodeName::Parse("n1"), .key_hash = key_hash};
}

TokenRecord Token() {
  return {
      .id = "a", .secret_hash = "hash", .create_time = kNow, .expire_time = kNow + absl::Hours(1)};
}

class SqliteTokenStoreTest : public ::testing::Test {
 protected:
  SqliteTokenStoreTest() { Open(true); }
  void Open(bool new_hub) {
    store_.reset();
    store_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), new_hub);
  }

  testing::TempDir dir_;
  std::unique_ptr<SqliteTokenStore> store_;
};

TEST_F(SqliteTokenStoreTest, AHubThatLostItsFileDoesNotKnowItsNodes) {
  EXPECT_TRUE(*store_->NodesKnown());
  Open(/*new_hub=*/false);
  EXPECT_TRUE(*store_->NodesKnown()) << "the file is there";
  store_.reset();
  dir_.Write("tokens.db", std::string(4096, 'x'));
  Open(/*new_hub=*/false);
  EXPECT_TRUE(store_->set_aside().has_value());
  EXPECT_FALSE(*store_->NodesKnown());
  Open(/*new_hub=*/true);
  EXPECT_FALSE(*store_->NodesKnown()) << "only a file that is created is told";
  EXPECT_THAT(store_->SetNodesKnown(), IsOk());
  Open(/*new_hub=*/false);
  EXPECT_TRUE(*store_->NodesKnown());
}

TEST_F(SqliteTokenStoreTest, AFileFromBeforeKeysWereKeptGoesOn) {
  ASSERT_THAT(store_->Create(Token()), IsOk());
  store_.reset();
  {
    auto database = *sqlite::Database::Open({.path = dir_.File("tokens.db")}, kTokensDbMigrations);
    ASSERT_THAT(database->Execute("DROP TABLE next_keys"), IsOk());
    ASSERT_THAT(database->Execute("DROP TABLE joined_nodes"), IsOk());
    ASSERT_THAT(database->Execute("DROP TABLE joined_nodes_state"), IsOk());
    ASSERT_THAT(database->Execute("PRAGMA user_version = 1; PRAGMA application_id = 0"), IsOk());
  }
  Open(/*new_hub=*/false);
  EXPECT_FALSE(store_->set_aside().has_value());
  EXPECT_EQ(store_->List("", 10)->size(), 1u);
  EXPECT_FALSE(*store_->NodesKnown()) << "some may have joined before";
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("k1"), kNow).status(),
              HasReason("NODES_NOT_KNOWN"));
  ASSERT_THAT(store_->SetNodesKnown(), IsOk());
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("k1"), kNow), IsOk());
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("k2"), kNow).status(),
              HasReason("NODE_ALREADY_JOINED"));
}

}  // namespace
}  // namespace skerry::cloudhub
