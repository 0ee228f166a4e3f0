#include "services/edgehub-svc/renewal/renewal_plan.h"

#include <gtest/gtest.h>

namespace skerry::edgehub {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

security::CertificateInfo Certificate(absl::Duration life) {
  return {.not_before = kStart, .not_after = kStart + life};
}

TEST(RenewalPlanTest, IsDueAtTwoThirdsOfLifeAndALittleLater) {
  const security::CertificateInfo year = Certificate(absl::Hours(24 * 360));
  EXPECT_EQ(RenewalDue(year, 0), kStart + absl::Hours(24 * 240));
  EXPECT_EQ(RenewalDue(year, 0.5), kStart + absl::Hours(24 * 249));
  EXPECT_EQ(RenewalDue(year, 1), kStart + absl::Hours(24 * 258));
}

TEST(RenewalPlanTest, TriesLessAndLessOftenButAtLeastEveryHour) {
  const security::CertificateInfo year = Certificate(absl::Hours(24 * 360));
  EXPECT_EQ(RetryDelay(year, 1, 1), absl::Seconds(10));
  EXPECT_EQ(RetryDelay(year, 1, 0), absl::Seconds(5));
  EXPECT_EQ(RetryDelay(year, 2, 1), absl::Seconds(20));
  EXPECT_EQ(RetryDelay(year, 8, 1), absl::Seconds(1280));
  for (int failures : {10, 100, 1'000'000}) {
    EXPECT_EQ(RetryDelay(year, failures, 1), absl::Hours(1)) << failures;
    EXPECT_EQ(RetryDelay(year, failures, 0), absl::Minutes(30)) << failures;
  }
  EXPECT_EQ(LongestDelay(year, 1), absl::Hours(1));
}

TEST(RenewalPlanTest, AShortLifeIsNotSpentWaiting) {
  EXPECT_EQ(RetryDelay(Certificate(absl::Minutes(1)), 5, 1), absl::Seconds(3));
  EXPECT_EQ(LongestDelay(Certificate(absl::Minutes(1)), 1), absl::Seconds(3));
  EXPECT_EQ(RetryDelay(Certificate(absl::Seconds(5)), 5, 1), absl::Seconds(1));
}

}  // namespace
}  // namespace skerry::edgehub
