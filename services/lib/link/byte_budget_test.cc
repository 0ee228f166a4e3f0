#include "services/lib/link/byte_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace skerry::link {
namespace {

constexpr ByteLimit kLimit{1000, 4000};

TEST(ByteBudgetTest, WithoutALimitItIsAlwaysOpen) {
  ByteBudget budget;
  budget.Spend(1u << 30, absl::Seconds(1));
  EXPECT_TRUE(budget.Open(absl::Seconds(1)));
  EXPECT_EQ(budget.NextWake(), absl::InfiniteDuration());
}

TEST(ByteBudgetTest, StartsEmptyAndSavesUpToTheBurst) {
  ByteBudget budget(kLimit);
  EXPECT_FALSE(budget.Open(absl::Seconds(500)));
  EXPECT_FALSE(budget.Open(absl::Seconds(500.9)));
  EXPECT_TRUE(budget.Open(absl::Seconds(501)));
  EXPECT_EQ(budget.left_bytes(absl::Seconds(503)), 3000);
  EXPECT_EQ(budget.left_bytes(absl::Hours(100)), 4000);
}

// link-14.3: what does not ask goes, and what asks waits that off.
TEST(ByteBudgetTest, DebtIsWaitedOff) {
  ByteBudget budget(kLimit);
  ASSERT_FALSE(budget.Open(absl::Seconds(100)));
  budget.Spend(16000, absl::Seconds(102));
  EXPECT_EQ(budget.left_bytes(absl::Seconds(102)), -14000);
  EXPECT_TRUE(budget.Wait(absl::Seconds(102)));
  EXPECT_FALSE(budget.Wait(absl::Seconds(103)));
  EXPECT_GT(budget.NextWake(), absl::Seconds(117));
  EXPECT_LT(budget.NextWake(), absl::Seconds(117.01));
  EXPECT_FALSE(budget.Open(absl::Seconds(116.9)));
  EXPECT_TRUE(budget.Open(budget.NextWake()));
  budget.StopWaiting(absl::Seconds(117));
  EXPECT_EQ(budget.waited(absl::Seconds(200)), absl::Seconds(15));
}

TEST(ByteBudgetTest, StaysOpenWhileSomethingIsLeft) {
  ByteBudget budget(kLimit);
  ASSERT_FALSE(budget.Open(absl::Seconds(100)));
  ASSERT_TRUE(budget.Open(absl::Seconds(102)));
  budget.Spend(1999, absl::Seconds(102));
  EXPECT_TRUE(budget.Open(absl::Seconds(102)));
  EXPECT_EQ(budget.ReadBytesMax(absl::Seconds(102)), 1u);
  budget.Spend(1, absl::Seconds(102));
  EXPECT_FALSE(budget.Open(absl::Seconds(102.5)));
}

TEST(ByteBudgetTest, AClockThatGoesBackEarnsNothing) {
  ByteBudget budget(kLimit);
  ASSERT_FALSE(budget.Open(absl::Seconds(100)));
  budget.Spend(500, absl::Seconds(101));
  budget.Spend(500, absl::Seconds(50));
  EXPECT_EQ(budget.left_bytes(absl::Seconds(50)), 0);
  EXPECT_EQ(budget.left_bytes(absl::Seconds(102)), 1000);
}

// link-14.2, for any window of time: burst + rate x time, and what one frame overdraws.
TEST(ByteBudgetTest, KeepsTheRateOverEveryWindow) {
  constexpr size_t kFrame = 3000;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 rng(seed);
    ByteBudget budget(kLimit);
    std::vector<std::pair<absl::Duration, size_t>> sent;
    absl::Duration now = absl::Seconds(1000);
    for (int i = 0; i < 300; ++i) {
      now += absl::Milliseconds(static_cast<int64_t>(rng() % (i % 50 == 0 ? 20000 : 800)));
      while (budget.Open(now)) {
        sent.emplace_back(now, 1 + rng() % kFrame);
        budget.Spend(sent.back().second, now);
      }
    }
    for (size_t first = 0; first < sent.size(); ++first) {
      size_t bytes = 0;
      for (size_t last = first; last < sent.size(); ++last) {
        bytes += sent[last].second;
        const double seconds = absl::ToDoubleSeconds(sent[last].first - sent[first].first);
        ASSERT_LE(static_cast<double>(bytes), 4000 + 1000 * seconds + kFrame) << "seed=" << seed;
      }
    }
  }
}

}  // namespace
}  // namespace skerry::link
