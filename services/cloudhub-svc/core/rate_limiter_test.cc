#include "services/cloudhub-svc/core/rate_limiter.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::Duration kStart = absl::Hours(1);

TEST(RateLimiterTest, RefillsInTimeUpToTheBurst) {
  RateLimiter limiter({.burst = 3, .per_second = 0.5});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.Allow("a", kStart));
  EXPECT_FALSE(limiter.Allow("a", kStart));
  EXPECT_FALSE(limiter.HasLeft("a", kStart + absl::Seconds(1)));
  EXPECT_TRUE(limiter.HasLeft("a", kStart + absl::Seconds(2)));
  EXPECT_TRUE(limiter.Allow("a", kStart + absl::Seconds(2)));
  EXPECT_FALSE(limiter.Allow("a", kStart + absl::Seconds(2)));
  int allowed = 0;
  while (limiter.Allow("a", kStart + absl::Hours(10))) ++allowed;
  EXPECT_EQ(allowed, 3);
}

TEST(RateLimiterTest, OneRemoteDoesNotHinderAnother) {
  RateLimiter limiter({.burst = 1, .per_second = 1});
  EXPECT_TRUE(limiter.Allow("a", kStart));
  EXPECT_FALSE(limiter.Allow("a", kStart));
  EXPECT_TRUE(limiter.HasLeft("b", kStart));
  EXPECT_TRUE(limiter.Allow("b", kStart));
}

TEST(RateLimiterTest, ManyRemotesShareABucketUntilOthersAreFullAgain) {
  RateLimiter limiter({.burst = 1, .per_second = 1, .remotes_max = 2});
  EXPECT_TRUE(limiter.Allow("a", kStart));
  EXPECT_TRUE(limiter.Allow("b", kStart));
  EXPECT_TRUE(limiter.Allow("c", kStart));
  EXPECT_FALSE(limiter.Allow("d", kStart)) << "shared with c";
  EXPECT_FALSE(limiter.HasLeft("e", kStart));
  EXPECT_TRUE(limiter.Allow("d", kStart + absl::Seconds(1))) << "a and b are forgotten";
  for (int i = 0; i < 100000; ++i) limiter.Allow(absl::StrCat(i), kStart + absl::Seconds(1));
}

}  // namespace
}  // namespace skerry::cloudhub
