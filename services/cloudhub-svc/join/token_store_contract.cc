#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/join/stores_contract.h"
#include "services/cloudhub-svc/join/test_tokens.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::IsOk;

std::vector<std::string> Ids(JoinStore& store, absl::string_view after, int limit) {
  std::vector<std::string> ids;
  std::vector<TokenRecord> tokens = *store.List(after, limit);
  for (const TokenRecord& token : tokens) ids.push_back(token.id);
  return ids;
}

// Whether the hub lets the node link with that key.
bool Links(NodeRecords& records, absl::string_view node, const std::string& key_hash) {
  return records.Admit({.node = Node(node), .key_hash = key_hash}).ok();
}

TEST_P(TokenStoreContract, KeepsEveryFieldOverARestart) {
  TokenRecord token = Token("a");
  token.node = Node("n1");
  token.single_use = true;
  token.description = "for the \"harbour\"; DROP TABLE";
  token.request_id = "r1";
  ASSERT_THAT(tokens().Create(token), IsOk());
  ASSERT_THAT(tokens().Create(Token("b")), IsOk());
  Open();
  const std::vector<TokenRecord> listed = *tokens().List("", 10);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, "a");
  EXPECT_EQ(listed[0].secret_hash, "hash");
  EXPECT_EQ(listed[0].create_time, kNow);
  EXPECT_EQ(listed[0].expire_time, kNow + absl::Hours(1));
  EXPECT_EQ(listed[0].node, Node("n1"));
  EXPECT_TRUE(listed[0].single_use);
  EXPECT_EQ(listed[0].description, token.description);
  EXPECT_EQ(listed[0].request_id, "r1");
  EXPECT_FALSE(listed[1].node.has_value());
  EXPECT_FALSE(listed[1].revoked);
}

TEST_P(TokenStoreContract, RefusesRepeats) {
  TokenRecord token = Token("a");
  token.request_id = "r1";
  ASSERT_THAT(tokens().Create(token), IsOk());
  token.id = "b";
  EXPECT_THAT(tokens().Create(token), HasReason("REQUEST_REPEATED"));
  EXPECT_EQ(tokens().Create(Token("a")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(tokens().Create(Token("c")), IsOk());
  EXPECT_THAT(tokens().Create(Token("d")), IsOk()) << "no request id is no repeat";
}

TEST_P(TokenStoreContract, ListsInOrderByPages) {
  for (const char* id : {"c", "a", "b"}) ASSERT_THAT(tokens().Create(Token(id)), IsOk());
  EXPECT_THAT(Ids(tokens(), "", 2), ElementsAre("a", "b"));
  EXPECT_THAT(Ids(tokens(), "b", 2), ElementsAre("c"));
  EXPECT_THAT(Ids(tokens(), "c", 2), IsEmpty());
}

TEST_P(TokenStoreContract, ARevokedTokenStaysRevoked) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1"), kNow), IsOk());
  EXPECT_THAT(tokens().Revoke("a"), IsOk());
  EXPECT_THAT(tokens().Revoke("a"), IsOk());
  EXPECT_THAT(tokens().Revoke("b"), HasReason("TOKEN_UNKNOWN"));
  Open();
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1"), kNow).status(),
              HasReason("TOKEN_REVOKED"));
}

TEST_P(TokenStoreContract, OfManyAtOnceOneGetsASingleUseToken) {
  TokenRecord token = Token("a");
  token.single_use = true;
  ASSERT_THAT(tokens().Create(token), IsOk());
  std::atomic<int> good = 0;
  std::atomic<int> used = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      absl::Status status =
          tokens().Redeem("a", "hash", Joining(absl::StrCat("n", i)), kNow).status();
      if (status.ok()) ++good;
      if (GetErrorInfo(status).reason == "TOKEN_USED") ++used;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 1);
  EXPECT_EQ(used.load(), 7);
  EXPECT_EQ((*tokens().List("", 1))[0].uses, 1);
}

TEST_P(TokenStoreContract, ARefusalCountsNoUse) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  EXPECT_THAT(tokens().Redeem("a", "wrong", Joining("n1"), kNow).status(),
              HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1"), kNow + absl::Hours(2)).status(),
              HasReason("TOKEN_EXPIRED"));
  EXPECT_EQ((*tokens().List("", 1))[0].uses, 0);
}

TEST_P(TokenStoreContract, ALookIsNoUse) {
  TokenRecord token = Token("a");
  token.node = Node("n1");
  token.single_use = true;
  ASSERT_THAT(tokens().Create(token), IsOk());
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<TokenRecord> seen = tokens().Look("a", "hash", kNow);
    ASSERT_THAT(seen, IsOk());
    EXPECT_EQ(seen->id, "a");
    EXPECT_EQ(seen->expire_time, token.expire_time);
    EXPECT_EQ(seen->node, Node("n1"));
    EXPECT_TRUE(seen->single_use);
    EXPECT_EQ(seen->uses, 0);
  }
  EXPECT_THAT(tokens().Look("a", "wrong", kNow).status(), HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(tokens().Look("b", "hash", kNow).status(), HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(tokens().Look("a", "hash", token.expire_time).status(), HasReason("TOKEN_EXPIRED"));
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1"), kNow), IsOk());
  EXPECT_THAT(tokens().Look("a", "hash", kNow).status(), HasReason("TOKEN_USED"));
  ASSERT_THAT(tokens().Revoke("a"), IsOk());
  EXPECT_THAT(tokens().Look("a", "hash", kNow).status(), HasReason("TOKEN_REVOKED"));
}

TEST_P(TokenStoreContract, RemembersTheKeyOfAJoinedNode) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  TokenRecord for_n1 = Token("b");
  for_n1.node = Node("n1");
  ASSERT_THAT(tokens().Create(for_n1), IsOk());
  auto redeem = [this](absl::string_view id, absl::string_view key) {
    return tokens().Redeem(id, "hash", Joining("n1", key), kNow);
  };
  EXPECT_EQ(redeem("a", "k1")->replaced_key_hash, "");
  Open();
  EXPECT_THAT(redeem("a", "k2").status(), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_EQ(redeem("a", "k1")->replaced_key_hash, "");
  EXPECT_EQ(redeem("b", "k2")->replaced_key_hash, "k1");
  EXPECT_EQ(redeem("b", "k2")->replaced_key_hash, "");
  Open();
  EXPECT_THAT(redeem("a", "k1").status(), HasReason("NODE_ALREADY_JOINED"));
  EXPECT_EQ((*tokens().List("", 1))[0].uses, 2) << "a refusal counts no use";
  ASSERT_THAT(tokens().Prune(kNow + absl::Hours(5)), IsOk());
  ASSERT_THAT(tokens().Create(Token("c")), IsOk());
  EXPECT_THAT(redeem("c", "k1").status(), HasReason("NODE_ALREADY_JOINED"))
      << "nodes outlive their tokens";
}

TEST_P(TokenStoreContract, AllKeysAreTheNodesUntilANextOneIsSeen) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  ASSERT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  auto begin = [this](absl::string_view key, absl::string_view next) {
    Open();  // Whatever was said is on disk.
    return tokens().BeginRotation(Node("n1"), key, next, kNow);
  };
  EXPECT_THAT(begin("k1", "k2"), IsOk());
  EXPECT_THAT(begin("k1", "k3"), IsOk()) << "the answer with k2 was lost, or is late";
  EXPECT_TRUE(Links(records(), "n1", "k1"));
  EXPECT_THAT(begin("k1", "k3"), IsOk()) << "the old one goes on";
  EXPECT_TRUE(Links(records(), "n1", "k3"));
  EXPECT_TRUE(Links(records(), "n1", "k3"));
  for (const char* gone : {"k1", "k2"}) {
    EXPECT_THAT(begin(gone, "k4"), HasReason("NODE_KEY_REPLACED")) << gone;
    EXPECT_FALSE(Links(records(), "n1", gone)) << gone;
  }
  EXPECT_THAT(begin("k3", "k4"), IsOk());
  EXPECT_THAT(begin("k4", "k5"), IsOk()) << "asking with the next key is using it";
  EXPECT_THAT(begin("k3", "k6"), HasReason("NODE_KEY_REPLACED"));
  EXPECT_THAT(begin("k5", "k5"), IsOk()) << "keeping the key is fine";
  EXPECT_THAT(begin("k5", "k6"), IsOk());
}

TEST_P(TokenStoreContract, ALateRequestTakesNoKeyAway) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  ASSERT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(tokens().BeginRotation(Node("n1"), "k1", "stored", kNow), IsOk());
  ASSERT_THAT(tokens().BeginRotation(Node("n1"), "k1", "late", kNow + absl::Seconds(1)), IsOk());
  EXPECT_TRUE(Links(records(), "n1", "stored"));
  EXPECT_FALSE(Links(records(), "n1", "late"));
}

TEST_P(TokenStoreContract, KeepsEightNextKeysOfANode) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  for (const char* node : {"n1", "n2"}) {
    ASSERT_THAT(tokens().Redeem("a", "hash", Joining(node, "k"), kNow), IsOk());
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(
          tokens().BeginRotation(Node(node), "k", absl::StrCat("k", i), kNow + absl::Seconds(i)),
          IsOk());
    }
  }
  EXPECT_FALSE(Links(records(), "n1", "k1"));
  EXPECT_TRUE(Links(records(), "n1", "k2"));
  EXPECT_TRUE(Links(records(), "n2", "k9"));
}

TEST_P(TokenStoreContract, AJoinEndsARotation) {
  TokenRecord bound = Token("a");
  bound.node = Node("n1");
  ASSERT_THAT(tokens().Create(bound), IsOk());
  ASSERT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(tokens().BeginRotation(Node("n1"), "k1", "k2", kNow), IsOk());
  ASSERT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k3"), kNow), IsOk());
  EXPECT_FALSE(Links(records(), "n1", "k2"));
  EXPECT_THAT(tokens().BeginRotation(Node("n1"), "k2", "k4", kNow), HasReason("NODE_KEY_REPLACED"));
  EXPECT_THAT(tokens().BeginRotation(Node("n1"), "k3", "k4", kNow), IsOk());
}

TEST_P(TokenStoreContract, AnUnknownNodeHasNoKeys) {
  EXPECT_THAT(tokens().BeginRotation(Node("n1"), "k1", "k2", kNow), HasReason("NODE_UNKNOWN"));
  EXPECT_THAT(tokens().SetDisabled(Node("n1"), true), HasReason("NODE_UNKNOWN"));
}

TEST_P(TokenStoreContract, ADisabledNodeGetsNothingUntilItIsEnabled) {
  TokenRecord bound = Token("a");
  bound.node = Node("n1");
  ASSERT_THAT(tokens().Create(bound), IsOk());
  ASSERT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k1"), kNow), IsOk());
  ASSERT_THAT(tokens().SetDisabled(Node("n1"), true), IsOk());
  Open();
  EXPECT_THAT(*tokens().DisabledNodes(), ElementsAre(Node("n1")));
  EXPECT_THAT(tokens().BeginRotation(Node("n1"), "k1", "k2", kNow), HasReason("NODE_DISABLED"));
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k1"), kNow).status(),
              HasReason("NODE_DISABLED"));
  EXPECT_EQ((*tokens().List("", 1))[0].uses, 1) << "a refusal counts no use";
  ASSERT_THAT(tokens().SetDisabled(Node("n1"), false), IsOk());
  EXPECT_THAT(*tokens().DisabledNodes(), IsEmpty());
  EXPECT_THAT(tokens().BeginRotation(Node("n1"), "k1", "k2", kNow), IsOk());
}

TEST_P(TokenStoreContract, ARefusalRecordsNoKey) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  EXPECT_THAT(tokens().Redeem("a", "wrong", Joining("n1", "k1"), kNow).status(),
              HasReason("TOKEN_UNKNOWN"));
  EXPECT_THAT(tokens().Redeem("a", "hash", Joining("n1", "k2"), kNow), IsOk());
}

TEST_P(TokenStoreContract, OfManyAtOnceOneGetsAName) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (tokens().Redeem("a", "hash", Joining("n1", absl::StrCat("k", i)), kNow).ok()) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 1);
  EXPECT_EQ((*tokens().List("", 1))[0].uses, 1);
}

TEST_P(TokenStoreContract, ForgetsWhatExpiredLongAgo) {
  ASSERT_THAT(tokens().Create(Token("a")), IsOk());
  TokenRecord later = Token("b");
  later.expire_time = kNow + absl::Hours(10);
  ASSERT_THAT(tokens().Create(later), IsOk());
  EXPECT_THAT(tokens().Prune(kNow + absl::Hours(5)), IsOk());
  EXPECT_THAT(Ids(tokens(), "", 10), ElementsAre("b"));
}

}  // namespace
}  // namespace skerry::cloudhub
