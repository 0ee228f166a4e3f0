#include "services/lib/link/backoff.h"

#include <gtest/gtest.h>

namespace skerry::link {
namespace {

// link-6.1
TEST(BackoffTest, WaitsSpreadOverADoublingRange) {
  for (int failures = 0; failures < 10; ++failures) {
    const absl::Duration ceiling = std::min(absl::Seconds(60), absl::Seconds(1) * (1 << failures));
    absl::Duration least = absl::InfiniteDuration();
    absl::Duration most;
    for (uint64_t seed = 0; seed < 500; ++seed) {
      Backoff backoff(absl::Seconds(1), absl::Seconds(60), seed);
      for (int i = 0; i < failures; ++i) backoff.Next();
      const absl::Duration wait = backoff.Next();
      least = std::min(least, wait);
      most = std::max(most, wait);
    }
    EXPECT_GE(least, absl::ZeroDuration());
    EXPECT_LT(least, ceiling * 0.05) << failures;
    EXPECT_LT(most, ceiling);
    EXPECT_GT(most, ceiling * 0.95) << failures;
  }
}

// link-6.2
TEST(BackoffTest, ResetBeginsAnew) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(60), 1);
  for (int i = 0; i < 100; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LT(backoff.Next(), absl::Seconds(1));
}

}  // namespace
}  // namespace skerry::link
