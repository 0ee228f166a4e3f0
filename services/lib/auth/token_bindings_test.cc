#include "services/lib/auth/token_bindings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::auth {
namespace {

using ::skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TokenBindingsTest, JoinsWhatUserAndGroupsHave) {
  const auto bindings = TokenBindings::Parse(
      {"system:serviceaccount:shop:billing=skerry:applications", "a=b@idp=skerry:viewers",
       "jane=skerry:viewers", "jane=skerry:operators"},
      {"system:serviceaccounts:shop=skerry:viewers"});
  ASSERT_THAT(bindings, testing::IsOk());
  EXPECT_THAT(bindings->OrganizationsOf("system:serviceaccount:shop:billing",
                                        {"other", "system:serviceaccounts:shop"}),
              ElementsAre("skerry:applications", "skerry:viewers"));
  EXPECT_THAT(bindings->OrganizationsOf("a=b@idp", {}), ElementsAre("skerry:viewers"));
  EXPECT_THAT(bindings->OrganizationsOf("jane", {}),
              ElementsAre("skerry:operators", "skerry:viewers"));
}

TEST(TokenBindingsTest, NobodyElseHasAny) {
  const auto bindings = TokenBindings::Parse({"jane=skerry:operators"}, {"jill=skerry:operators"});
  ASSERT_THAT(bindings, testing::IsOk());
  EXPECT_THAT(bindings->OrganizationsOf("joe", {"jane"}), IsEmpty()) << "a user is no group";
  EXPECT_THAT(bindings->OrganizationsOf("jill", {}), IsEmpty()) << "a group is no user";
  EXPECT_THAT(bindings->OrganizationsOf("", {}), IsEmpty());
  EXPECT_TRUE(TokenBindings::Parse({}, {})->empty());
}

TEST(TokenBindingsTest, NamesTheEntryThatIsWrong) {
  for (const char* entry : {"jane", "=skerry:operators", "jane=", ""}) {
    const absl::Status status = TokenBindings::Parse({entry}, {}).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << entry;
    EXPECT_THAT(std::string(status.message()), HasSubstr("auth.bearer.users"));
  }
  const absl::Status status = TokenBindings::Parse({}, {"staff=system:nodes"}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("auth.bearer.groups"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("only certificates"));
}

}  // namespace
}  // namespace skerry::auth
