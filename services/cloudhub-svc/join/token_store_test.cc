#include "services/cloudhub-svc/join/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::IsOk;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

NodeName Node(absl::string_view name) { return *NodeName::Parse(name); }

JoiningNode Joining(absl::string_view name, absl::string_view key_hash = "key") {
  return {.name = Node(name), .key_hash = std::string(key_hash)};
}

TokenRecord Token(absl::string_view id) {
  return {.id = std::string(id),
          .secret_hash = "hash",
          .create_time = kNow,
          .expire_time = kNow + absl::Hours(1)};
}

TEST(CheckTokenTest, SaysWhyNot) {
  TokenRecord good = Token("a");
  auto check = [](const TokenRecord& token, absl::string_view hash = "hash") {
    return CheckToken(token, hash, Node("n1"), kNow);
  };
  EXPECT_THAT(check(good), IsOk());
  EXPECT_THAT(CheckToken(std::nullopt, "hash", Node("n1"), kNow), HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(check(good, "hasH"), HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(check(good, ""), HasReason("TOKEN_UNKNOWN"));

  TokenRecord expired = good;
  expired.expire_time = kNow;
  EXPECT_THAT(check(expired), HasReason("TOKEN_EXPIRED"));
  TokenRecord revoked = expired;
  revoked.revoked = true;
  EXPECT_THAT(check(revoked), HasReason("TOKEN_REVOKED"));
  EXPECT_THAT(check(revoked, "x"), HasReason("TOKEN_UNKNOWN"))
      << "a guesser learns nothing of the token";
  TokenRecord used = good;
  used.single_use = true;
  EXPECT_THAT(check(used), IsOk());
  used.uses = 1;
  EXPECT_THAT(check(used), HasReason("TOKEN_USED"));
  TokenRecord bound = good;
  bound.node = Node("n2");
  EXPECT_THAT(check(bound), HasReason("TOKEN_WRONG_NODE"));
  bound.node = Node("n1");
  EXPECT_THAT(check(bound), IsOk());
}

TEST(CheckNodeKeyTest, AnotherKeyNeedsATokenForTheNode) {
  TokenRecord any = Token("a");
  TokenRecord bound = any;
  bound.node = Node("n1");
  TokenRecord for_another = any;
  for_another.node = Node("n2");
  for (const TokenRecord& token : {any, bound}) {
    EXPECT_THAT(CheckNodeKey(token, "", true, Joining("n1")), IsOk());
    EXPECT_THAT(CheckNodeKey(token, "key", true, Joining("n1")), IsOk());
    EXPECT_THAT(CheckNodeKey(token, "key", false, Joining("n1")), IsOk());
  }
  EXPECT_THAT(CheckNodeKey(any, "other", true, Joining("n1")), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_THAT(CheckNodeKey(for_another, "other", true, Joining("n1")),
              HasReason("NODE_ALREADY_JOINED"));
  EXPECT_THAT(CheckNodeKey(bound, "other", true, Joining("n1")), IsOk());
}

TEST(CheckNodeKeyTest, ANameThatMayHaveBeenForgottenNeedsATokenForTheNode) {
  TokenRecord any = Token("a");
  TokenRecord bound = any;
  bound.node = Node("n1");
  EXPECT_THAT(CheckNodeKey(any, "", false, Joining("n1")), HasReason("NODES_NOT_KNOWN"));
  EXPECT_THAT(CheckNodeKey(bound, "", false, Joining("n1")), IsOk());
  EXPECT_THAT(CheckNodeKey(any, "other", false, Joining("n1")), HasReason("NODE_ALREADY_JOINED"));
}

class SqliteTokenStoreTest : public ::testing::Test {
 protected:
  SqliteTokenStoreTest() { Open(); }
  void Open(bool new_hub = true) {
    store_.reset();
    store_ = *SqliteTokenStore::Open(dir_.File("tokens.db"), new_hub);
  }
  std::vector<std::string> Ids(absl::string_view after, int limit) {
    std::vector<std::string> ids;
    std::vector<TokenRecord> tokens = *store_->List(after, limit);
    for (const TokenRecord& token : tokens) ids.push_back(token.id);
    return ids;
  }

  // Whether the hub lets the node link with that key.
  bool Links(absl::string_view node, const std::string& key_hash) {
    testing::FakeClock clock;
    auto records = *SqliteNodeRecords::Open(dir_.File("tokens.db"), clock);
    return records->Admit({.node = Node(node), .key_hash = key_hash}).ok();
  }

  testing::TempDir dir_;
  std::unique_ptr<SqliteTokenStore> store_;
};

TEST_F(SqliteTokenStoreTest, KeepsEveryFieldOverARestart) {
  TokenRecord token = Token("a");
  token.node = Node("n1");
  token.single_use = true;
  token.description = "for the \"harbour\"; DROP TABLE";
  token.request_id = "r1";
  ASSERT_THAT(store_->Create(token), IsOk());
  ASSERT_THAT(store_->Create(Token("b")), IsOk());
  Open();
  std::vector<TokenRecord> tokens = *store_->List("", 10);
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, "a");
  EXPECT_EQ(tokens[0].secret_hash, "hash");
  EXPECT_EQ(tokens[0].create_time, kNow);
  EXPECT_EQ(tokens[0].expire_time, kNow + absl::Hours(1));
  EXPECT_EQ(tokens[0].node, Node("n1"));
  EXPECT_TRUE(tokens[0].single_use);
  EXPECT_EQ(tokens[0].description, token.description);
  EXPECT_EQ(tokens[0].request_id, "r1");
  EXPECT_FALSE(tokens[1].node.has_value());
  EXPECT_FALSE(tokens[1].revoked);
}

TEST_F(SqliteTokenStoreTest, RefusesRepeats) {
  TokenRecord token = Token("a");
  token.request_id = "r1";
  ASSERT_THAT(store_->Create(token), IsOk());
  token.id = "b";
  EXPECT_THAT(store_->Create(token), HasReason("REQUEST_REPEATED"));
  EXPECT_EQ(store_->Create(Token("a")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(store_->Create(Token("c")), IsOk());
  EXPECT_THAT(store_->Create(Token("d")), IsOk()) << "no request id is no repeat";
}

TEST_F(SqliteTokenStoreTest, ListsInOrderByPages) {
  for (const char* id : {"c", "a", "b"}) ASSERT_THAT(store_->Create(Token(id)), IsOk());
  EXPECT_THAT(Ids("", 2), ElementsAre("a", "b"));
  EXPECT_THAT(Ids("b", 2), ElementsAre("c"));
  EXPECT_THAT(Ids("c", 2), IsEmpty());
}

TEST_F(SqliteTokenStoreTest, ARevokedTokenStaysRevoked) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1"), kNow), IsOk());
  EXPECT_THAT(store_->Revoke("a"), IsOk());
  EXPECT_THAT(store_->Revoke("a"), IsOk());
  EXPECT_THAT(store_->Revoke("b"), HasReason("TOKEN_UNKNOWN"));
  Open();
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1"), kNow).status(),
              HasReason("TOKEN_REVOKED"));
}

TEST_F(SqliteTokenStoreTest, OfManyAtOnceOneGetsASingleUseToken) {
  TokenRecord token = Token("a");
  token.single_use = true;
  ASSERT_THAT(store_->Create(token), IsOk());
  std::atomic<int> good = 0;
  std::atomic<int> used = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      absl::Status status =
          store_->Redeem("a", "hash", Joining(absl::StrCat("n", i)), kNow).status();
      if (status.ok()) ++good;
      if (GetErrorInfo(status).reason == "TOKEN_USED") ++used;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 1);
  EXPECT_EQ(used.load(), 7);
  EXPECT_EQ((*store_->List("", 1))[0].uses, 1);
}

TEST_F(SqliteTokenStoreTest, ARefusalCountsNoUse) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  EXPECT_THAT(store_->Redeem("a", "wrong", Joining("n1"), kNow).status(),
              HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1"), kNow + absl::Hours(2)).status(),
              HasReason("TOKEN_EXPIRED"));
  EXPECT_EQ((*store_->List("", 1))[0].uses, 0);
}

TEST_F(SqliteTokenStoreTest, RemembersTheKeyOfAJoinedNode) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  TokenRecord for_n1 = Token("b");
  for_n1.node = Node("n1");
  ASSERT_THAT(store_->Create(for_n1), IsOk());
  auto redeem = [this](absl::string_view id, absl::string_view key) {
    return store_->Redeem(id, "hash", Joining("n1", key), kNow);
  };
  EXPECT_EQ(redeem("a", "k1")->replaced_key_hash, "");
  Open();
  EXPECT_THAT(redeem("a", "k2").status(), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_EQ(redeem("a", "k1")->replaced_key_hash, "");
  EXPECT_EQ(redeem("b", "k2")->replaced_key_hash, "k1");
  EXPECT_EQ(redeem("b", "k2")->replaced_key_hash, "");
  Open();
  EXPECT_THAT(redeem("a", "k1").status(), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_EQ((*store_->List("", 1))[0].uses, 2) << "a refusal counts no use";
  ASSERT_THAT(store_->Prune(kNow + absl::Hours(5)), IsOk());
  ASSERT_THAT(store_->Create(Token("c")), IsOk());
  EXPECT_THAT(redeem("c", "k1").status(), HasReason("NODE_ALREADY_JOINED"))
      << "nodes outlive their tokens";
}

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
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  store_.reset();
  {
    auto database = *sqlite::Database::Open({.path = dir_.File("tokens.db")}, kTokensDbMigrations);
    ASSERT_THAT(database->Execute("DROP TABLE next_keys"), IsOk());
    ASSERT_THAT(database->Execute("DROP TABLE joined_nodes"), IsOk());
    ASSERT_THAT(database->Execute("DROP TABLE joined_nodes_state"), IsOk());
    ASSERT_THAT(database->Execute("PRAGMA user_version = 1"), IsOk());
  }
  Open(/*new_hub=*/false);
  EXPECT_FALSE(store_->set_aside().has_value());
  EXPECT_THAT(Ids("", 10), ElementsAre("a"));
  EXPECT_FALSE(*store_->NodesKnown()) << "some may have joined before";
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow).status(),
              HasReason("NODES_NOT_KNOWN"));
  ASSERT_THAT(store_->SetNodesKnown(), IsOk());
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1", "k2"), kNow).status(),
              HasReason("NODE_ALREADY_JOINED"));
}

TEST_F(SqliteTokenStoreTest, AllKeysAreTheNodesUntilANextOneIsSeen) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  ASSERT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  auto begin = [this](absl::string_view key, absl::string_view next) {
    Open();  // Whatever was said is on disk.
    return store_->BeginRotation(Node("n1"), key, next, kNow);
  };
  EXPECT_THAT(begin("k1", "k2"), IsOk());
  EXPECT_THAT(begin("k1", "k3"), IsOk()) << "the answer with k2 was lost, or is late";
  EXPECT_TRUE(Links("n1", "k1"));
  EXPECT_THAT(begin("k1", "k3"), IsOk()) << "the old one goes on";
  EXPECT_TRUE(Links("n1", "k3"));
  EXPECT_TRUE(Links("n1", "k3"));
  for (const char* gone : {"k1", "k2"}) {
    EXPECT_THAT(begin(gone, "k4"), HasReason("NODE_KEY_REPLACED")) << gone;
    EXPECT_FALSE(Links("n1", gone)) << gone;
  }
  EXPECT_THAT(begin("k3", "k4"), IsOk());
  EXPECT_THAT(begin("k4", "k5"), IsOk()) << "asking with the next key is using it";
  EXPECT_THAT(begin("k3", "k6"), HasReason("NODE_KEY_REPLACED"));
  EXPECT_THAT(begin("k5", "k5"), IsOk()) << "keeping the key is fine";
  EXPECT_THAT(begin("k5", "k6"), IsOk());
}

TEST_F(SqliteTokenStoreTest, ALateRequestTakesNoKeyAway) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  ASSERT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(store_->BeginRotation(Node("n1"), "k1", "stored", kNow), IsOk());
  ASSERT_THAT(store_->BeginRotation(Node("n1"), "k1", "late", kNow + absl::Seconds(1)), IsOk());
  EXPECT_TRUE(Links("n1", "stored"));
  EXPECT_FALSE(Links("n1", "late"));
}

TEST_F(SqliteTokenStoreTest, KeepsEightNextKeysOfANode) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  for (const char* node : {"n1", "n2"}) {
    ASSERT_THAT(store_->Redeem("a", "hash", Joining(node, "k"), kNow), IsOk());
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(
          store_->BeginRotation(Node(node), "k", absl::StrCat("k", i), kNow + absl::Seconds(i)),
          IsOk());
    }
  }
  EXPECT_FALSE(Links("n1", "k1"));
  EXPECT_TRUE(Links("n1", "k2"));
  EXPECT_TRUE(Links("n2", "k9"));
}

TEST_F(SqliteTokenStoreTest, AJoinEndsARotation) {
  TokenRecord bound = Token("a");
  bound.node = Node("n1");
  ASSERT_THAT(store_->Create(bound), IsOk());
  ASSERT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(store_->BeginRotation(Node("n1"), "k1", "k2", kNow), IsOk());
  ASSERT_THAT(store_->Redeem("a", "hash", Joining("n1", "k3"), kNow), IsOk());
  EXPECT_FALSE(Links("n1", "k2"));
  EXPECT_THAT(store_->BeginRotation(Node("n1"), "k2", "k4", kNow), HasReason("NODE_KEY_REPLACED"));
  EXPECT_THAT(store_->BeginRotation(Node("n1"), "k3", "k4", kNow), IsOk());
}

TEST_F(SqliteTokenStoreTest, AnUnknownNodeHasNoKeys) {
  EXPECT_THAT(store_->BeginRotation(Node("n1"), "k1", "k2", kNow), HasReason("NODE_UNKNOWN"));
  EXPECT_THAT(store_->SetDisabled(Node("n1"), true), HasReason("NODE_UNKNOWN"));
}

TEST_F(SqliteTokenStoreTest, ADisabledNodeGetsNothingUntilItIsEnabled) {
  TokenRecord bound = Token("a");
  bound.node = Node("n1");
  ASSERT_THAT(store_->Create(bound), IsOk());
  ASSERT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(store_->SetDisabled(Node("n1"), true), IsOk());
  Open();
  EXPECT_THAT(*store_->DisabledNodes(), ElementsAre(Node("n1")));
  EXPECT_THAT(store_->BeginRotation(Node("n1"), "k1", "k2", kNow), HasReason("NODE_DISABLED"));
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1", "k1"), kNow).status(),
              HasReason("NODE_DISABLED"));
  EXPECT_EQ((*store_->List("", 1))[0].uses, 1) << "a refusal counts no use";
  ASSERT_THAT(store_->SetDisabled(Node("n1"), false), IsOk());
  EXPECT_THAT(*store_->DisabledNodes(), IsEmpty());
  EXPECT_THAT(store_->BeginRotation(Node("n1"), "k1", "k2", kNow), IsOk());
}

TEST_F(SqliteTokenStoreTest, ARefusalRecordsNoKey) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  EXPECT_THAT(store_->Redeem("a", "wrong", Joining("n1", "k1"), kNow).status(),
              HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(store_->Redeem("a", "hash", Joining("n1", "k2"), kNow), IsOk());
}

TEST_F(SqliteTokenStoreTest, OfManyAtOnceOneGetsAName) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (store_->Redeem("a", "hash", Joining("n1", absl::StrCat("k", i)), kNow).ok()) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 1);
  EXPECT_EQ((*store_->List("", 1))[0].uses, 1);
}

TEST_F(SqliteTokenStoreTest, ForgetsWhatExpiredLongAgo) {
  ASSERT_THAT(store_->Create(Token("a")), IsOk());
  TokenRecord later = Token("b");
  later.expire_time = kNow + absl::Hours(10);
  ASSERT_THAT(store_->Create(later), IsOk());
  EXPECT_THAT(store_->Prune(kNow + absl::Hours(5)), IsOk());
  EXPECT_THAT(Ids("", 10), ElementsAre("b"));
}

}  // namespace
}  // namespace skerry::cloudhub
