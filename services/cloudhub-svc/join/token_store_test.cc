#include "services/cloudhub-svc/join/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cloudhub-svc/join/test_tokens.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;

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

}  // namespace
}  // namespace skerry::cloudhub
