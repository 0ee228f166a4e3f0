#include "tools/skerryctl/doctor/hub_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::skerryctl {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kHeading[] = "HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n";

TEST(HubAnswersTest, TheTime) {
  const absl::Time noon = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(TimeIn(absl::StrCat(kHeading, R"({"time": "2027-01-15T08:00:00Z"})")), noon);
  for (const char* answer : {"", "}{", "{", R"({"time": 5})", R"({"time": "noon"})", "[{}]"}) {
    EXPECT_EQ(TimeIn(absl::StrCat(kHeading, answer)), std::nullopt) << answer;
  }
}

TEST(HubAnswersTest, OnlyTheFirstCertificateIsTheCa) {
  const auto first = *security::CertificateAuthority::Create("first", absl::Now());
  const auto second = *security::CertificateAuthority::Create("second", absl::Now());
  EXPECT_THAT(CaIn(absl::StrCat(kHeading, first->certificate_pem(), second->certificate_pem())),
              IsOkAndHolds(first->certificate_pem()));
}

TEST(HubAnswersTest, NoCa) {
  for (const char* answer : {"", kHeading, "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
    EXPECT_THAT(CaIn(answer), StatusIs(absl::StatusCode::kNotFound)) << answer;
  }
  EXPECT_THAT(std::string(CaIn("HTTP/1.1 404 Not Found\r\n\r\n").status().message()),
              HasSubstr("HTTP/1.1 404 Not Found, and no certificate"));
}

TEST(HubAnswersTest, AToken) {
  const absl::StatusOr<TokenRecord> bound = TokenIn(
      200, R"({"id": "a", "createTime": "2027-01-15T08:00:00Z", "node": "edge-1", "usesLeft": 1,
               "expireTime": "2027-01-16T08:00:00Z"})");
  ASSERT_THAT(bound, IsOk());
  EXPECT_EQ(bound->expire_time - bound->create_time, absl::Hours(24));
  EXPECT_EQ(bound->node, "edge-1");
  EXPECT_TRUE(bound->single_use);
  const absl::StatusOr<TokenRecord> any = TokenIn(
      200, R"({"createTime": "2027-01-15T08:00:00Z", "expireTime": "2027-01-16T08:00:00Z"})");
  ASSERT_THAT(any, IsOk());
  EXPECT_EQ(any->node, "");
  EXPECT_FALSE(any->single_use || any->uses > 0 || any->revoked);
}

TEST(HubAnswersTest, ATokenThatTheHubRefuses) {
  const absl::Status refused =
      TokenIn(403, R"({"reason": "TOKEN_USED", "message": "it has been used", "fix": "another"})")
          .status();
  EXPECT_THAT(refused, HasReason("TOKEN_USED"));
  EXPECT_EQ(refused.message(), "it has been used");
  const std::string endless = TokenIn(403, absl::StrCat(R"({"reason": "X", "message": ")",
                                                        std::string(1 << 16, 'x'), "\"}"))
                                  .status()
                                  .ToString();
  EXPECT_LT(endless.size(), 1000u);
}

TEST(HubAnswersTest, NothingOfAToken) {
  for (const char* body : {"", "<html>", "[]", "{}", "7", R"({"reason": 7})",
                           R"({"createTime": "2027-01-15T08:00:00Z", "expireTime": 7})"}) {
    for (const int status : {200, 302, 404, 502}) {
      EXPECT_THAT(TokenIn(status, body).status(), HasReason("HUB_ANSWER_INVALID"))
          << status << body;
    }
  }
}

}  // namespace
}  // namespace skerry::skerryctl
