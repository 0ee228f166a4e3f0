#include "services/lib/security/join_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::security {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

const std::string kHash(64, 'a');
const std::string kId(12, 'b');
const std::string kSecret(32, 'c');

TEST(JoinTokensTest, ReadsWhatItWrites) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    auto token = MakeJoinToken(kHash);
    ASSERT_THAT(token, IsOk());
    auto parsed = ParseJoinToken(FormatJoinToken(*token));
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(parsed->ca_hash, kHash);
    EXPECT_EQ(parsed->id, token->id);
    EXPECT_EQ(parsed->secret, token->secret);
    EXPECT_TRUE(seen.insert(token->id).second);
    EXPECT_TRUE(seen.insert(token->secret).second);
  }
}

TEST(JoinTokensTest, SaysWhichPartIsWrongWithoutRepeatingTheSecret) {
  for (const std::string& text :
       {std::string(), std::string("x"), absl::StrCat(kHash, ".", kId),
        absl::StrCat(kHash, ".", kId, ".", kSecret, "."),
        absl::StrCat(kHash.substr(1), ".", kId, ".", kSecret),
        absl::StrCat("A", kHash.substr(1), ".", kId, ".", kSecret),
        absl::StrCat(kHash, ".", kId, "x.", kSecret),
        absl::StrCat(kHash, ".", kId, ".", kSecret, "x"),
        absl::StrCat(kHash, ".", kId, ". ", kSecret.substr(1)), std::string(100000, '.')}) {
    absl::Status status = ParseJoinToken(text).status();
    EXPECT_THAT(status, HasReason("TOKEN_MALFORMED")) << text.substr(0, 200);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ccc")));
  }
}

TEST(JoinTokensTest, StoresKeepNoSecret) {
  EXPECT_EQ(HashJoinSecret(kSecret).size(), 64u);
  EXPECT_NE(HashJoinSecret(kSecret), HashJoinSecret(kSecret + "x"));
}

TEST(MethodPolicyTest, DeniesByDefault) {
  MethodPolicy policy(std::vector<MethodRule>{
      {"/a.Service/*", {"x", "y"}}, {"/a.Service/Delete", {"z"}}, {"/b.Service/Get", {"*"}}});
  auto allows = [&policy](const std::string& method,
                          const std::vector<std::string>& organizations) {
    return policy.Check(method, organizations).ok();
  };
  EXPECT_TRUE(allows("/a.Service/Get", {"x"}));
  EXPECT_TRUE(allows("/a.Service/Get", {"other", "y"}));
  EXPECT_TRUE(allows("/a.Service/Delete", {"z"}));
  EXPECT_FALSE(allows("/a.Service/Get", {"z"}));
  EXPECT_FALSE(allows("/a.Service/Get", {}));
  EXPECT_FALSE(allows("/a.Service2/Get", {"x"}));
  EXPECT_FALSE(allows("/a.Servic", {"x"}));
  EXPECT_TRUE(allows("/b.Service/Get", {}));
  EXPECT_FALSE(allows("/b.Service/GetMore", {"x"}));
  EXPECT_FALSE(allows("", {"x"}));
  EXPECT_FALSE(MethodPolicy({}).Check("/a.Service/Get", {"x"}).ok());
}

TEST(MethodPolicyTest, SaysWhatWouldBeNeeded) {
  MethodPolicy policy(std::vector<MethodRule>{{"/a.Service/*", {"x", "y"}}});
  absl::Status status = policy.Check("/a.Service/Get", {});
  EXPECT_THAT(status, HasReason("METHOD_DENIED"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("O=x or O=y"));
  EXPECT_THAT(std::string(policy.Check("/c", {}).message()), HasSubstr("nobody may call it"));
}

}  // namespace
}  // namespace skerry::security
