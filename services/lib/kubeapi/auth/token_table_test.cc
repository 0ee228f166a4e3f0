#include "services/lib/kubeapi/auth/token_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::kubeapi {
namespace {

using testing::ElementsAre;

constexpr char kTokens[] = R"(
tokens:
  - {token: 0123456789abcdef, user: ci, groups: [deployers], expires: "2027-01-31T00:00:00Z"}
  # printf %s fedcba9876543210 | sha256sum
  - {sha256: 3465F6E6975BAA864CA957F0914ECDA9BF7EB601AC31AC20A5DC3D329279A843, user: alice}
)";

const absl::Time kNow = absl::FromUnixSeconds(1790000000);  // 2026-09-21

TEST(TokenTableTest, FindsByTokenUntilItExpires) {
  const auto table = TokenTable::Parse(kTokens);
  ASSERT_TRUE(table.ok()) << table.status();
  const auto ci = table->Find("0123456789abcdef", kNow);
  ASSERT_TRUE(ci.ok());
  EXPECT_EQ(ci->name, "ci");
  EXPECT_THAT(ci->groups, ElementsAre("deployers", "system:authenticated"));
  EXPECT_TRUE(absl::IsUnauthenticated(
      table->Find("0123456789abcdef", kNow + absl::Hours(24 * 365)).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(table->Find("0123456789abcdeF", kNow).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(table->Find("", kNow).status()));
  EXPECT_EQ(table->Find("fedcba9876543210", kNow)->name, "alice");
}

TEST(TokenTableTest, FindsByHashAndNeverTakesAHashForAToken) {
  const std::string hash = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";
  const auto table = TokenTable::Parse("tokens: [{sha256: " + hash + ", user: alice}]");
  ASSERT_TRUE(table.ok()) << table.status();
  // printf %s 0123456789abcdef | sha256sum
  EXPECT_EQ(table->Find("0123456789abcdef", kNow)->name, "alice");
  EXPECT_FALSE(table->Find(hash, kNow).ok());
}

TEST(TokenTableTest, RefusesFilesWithMistakes) {
  for (const char* bad : {
           "",
           "tokens: {}",
           "tokens: [{user: a}]",
           "tokens: [{token: short, user: a}]",
           "tokens: [{token: 0123456789abcdef}]",
           "tokens: [{token: 0123456789abcdef, sha256: 00, user: a}]",
           "tokens: [{sha256: 00, user: a}]",
           "tokens: [{token: 0123456789abcdef, user: a, expires: tomorrow}]",
           "tokens: [{token: 0123456789abcdef, user: a, group: [b]}]",
           "tokens: [{token: 0123456789abcdef, user: a}, {token: 0123456789abcdef, user: b}]",
       }) {
    EXPECT_TRUE(absl::IsInvalidArgument(TokenTable::Parse(bad).status())) << bad;
  }
  EXPECT_EQ(TokenTable::Parse("tokens: [{token: 0123456789abcdef, usr: a}]")
                .status()
                .message()
                .find("0123456789"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace skerry::kubeapi
