#include "services/lib/kubeapi/auth/service_account_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

using ::skerry::testing::IsOk;
using ::skerry::testing::StatusIs;
using ::testing::ElementsAre;

class ServiceAccountTokensTest : public ::testing::Test {
 protected:
  std::string Issue(std::vector<std::string> audiences) {
    return tokens_
        .Issue({.ns = "shop",
                .name = "billing",
                .uid = "u1",
                .audiences = std::move(audiences),
                .lifetime = absl::Hours(1)})
        ->token;
  }

  skerry::testing::TempDir dir_;
  skerry::testing::FakeClock clock_;
  absl::StatusOr<std::string> uid_ = std::string("u1");
  ServiceAccountTokens tokens_{*security::JwtKey::LoadOrCreate(dir_.File("sa.key")),
                               [this](const std::string& ns, const std::string& name) {
                                 EXPECT_EQ(ns + "/" + name, "shop/billing");
                                 return uid_;
                               },
                               clock_};
};

TEST_F(ServiceAccountTokensTest, KnowsItsTokens) {
  const auto owner = tokens_.Find(Issue({"skerry", "other"}), {"third", "skerry"});
  ASSERT_THAT(owner, IsOk());
  EXPECT_EQ(owner->caller.name, "system:serviceaccount:shop:billing");
  EXPECT_THAT(
      owner->caller.groups,
      ElementsAre("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"));
  EXPECT_FALSE(owner->caller.in_process);
  EXPECT_THAT(owner->audiences, ElementsAre("skerry"));
}

TEST_F(ServiceAccountTokensTest, WithoutAnAudienceATokenIsForTheApi) {
  EXPECT_THAT(tokens_.Find(Issue({}), {}), IsOk());
  EXPECT_THAT(tokens_.Find(Issue({}), {"skerry"}), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(tokens_.Find(Issue({"skerry"}), {}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ServiceAccountTokensTest, ATokenEnds) {
  const std::string token = Issue({});
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(tokens_.Find(token, {}), IsOk());
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(tokens_.Find(token, {}), StatusIs(absl::StatusCode::kUnauthenticated));
}

TEST_F(ServiceAccountTokensTest, ATokenEndsWithItsServiceAccount) {
  const std::string token = Issue({});
  uid_ = "u2";
  EXPECT_THAT(tokens_.Find(token, {}), StatusIs(absl::StatusCode::kUnauthenticated));
  uid_ = absl::NotFoundError("");
  EXPECT_THAT(tokens_.Find(token, {}), StatusIs(absl::StatusCode::kUnauthenticated));
  uid_ = absl::UnavailableError("");
  EXPECT_THAT(tokens_.Find(token, {}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ServiceAccountTokensTest, OtherTokensAreNobodys) {
  const auto other = *security::JwtKey::LoadOrCreate(dir_.File("other.key"));
  for (const std::string& token :
       {std::string("nonsense"), *other->Sign("{}"), Issue({}).substr(1)}) {
    EXPECT_THAT(tokens_.Find(token, {}), StatusIs(absl::StatusCode::kUnauthenticated));
  }
}

}  // namespace
}  // namespace skerry::kubeapi
