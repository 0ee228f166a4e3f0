#include "tools/skerryctl/doctor/hub_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::skerryctl {
namespace {

using ::testing::HasSubstr;
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

}  // namespace
}  // namespace skerry::skerryctl
