#include "services/edged-svc/core/backoff.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(BackoffTest, DoublesFromTenSecondsToFiveMinutes) {
  Backoff backoff;
  absl::Time now = kStart;
  EXPECT_EQ(backoff.NextAttempt(now, now), now);  // The first restart is at once.
  for (const int seconds : {10, 20, 40, 80, 160, 300, 300}) {
    backoff.Next(now, now);
    EXPECT_EQ(backoff.NextAttempt(now, now), now + absl::Seconds(seconds));
    now += absl::Seconds(seconds);
  }
}

TEST(BackoffTest, TenMinutesOfGoodRunForgetIt) {
  Backoff backoff;
  backoff.Next(kStart, kStart);
  backoff.Next(kStart, kStart);
  const absl::Time later = kStart + absl::Minutes(10) + absl::Seconds(1);
  EXPECT_EQ(backoff.NextAttempt(later, later), later);
  backoff.Next(later, later);
  EXPECT_EQ(backoff.delay, Backoff::kInitial);
}

TEST(BackoffTest, ClockSetBackHoldsUpNothing) {
  Backoff backoff;
  backoff.Next(kStart, kStart);
  const absl::Time before = kStart - absl::Hours(1000);
  EXPECT_EQ(backoff.NextAttempt(kStart, before), before);
}

}  // namespace
}  // namespace skerry::edged
