#include "services/edge-meta-svc/core/hybrid_time.h"

#include <gtest/gtest.h>

namespace skerry::edgemeta {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
const int64_t kMicros = absl::ToUnixMicros(kNow);
constexpr int64_t kYear = 365 * 86'400'000'000;

// link-5.10
TEST(HybridTimeTest, IsTheWallTimeWhileThatGoesOn) {
  EXPECT_EQ(Next({}, kNow), (HybridTime{kMicros, 0}));
  EXPECT_EQ(Next({kMicros - 1, 7}, kNow), (HybridTime{kMicros, 0}));
}

TEST(HybridTimeTest, CountsOnWhileTheClockStands) {
  EXPECT_EQ(Next({kMicros, 0}, kNow), (HybridTime{kMicros, 1}));
}

// link-5.10: the clock was years ahead and was set back: every time is still greater than the one
// before.
TEST(HybridTimeTest, NeverGoesBackWithTheClock) {
  HybridTime last{kMicros + 9 * kYear, 0};
  for (int i = 0; i < 5; ++i) {
    const HybridTime next = Next(last, kNow + absl::Seconds(i));
    EXPECT_GT(next, last);
    last = next;
  }
  EXPECT_EQ(last, (HybridTime{kMicros + 9 * kYear, 5}));
}

TEST(HybridTimeTest, TheLogicalPartDoesNotOverflow) {
  EXPECT_EQ(Next({kMicros + kYear, UINT32_MAX - 1}, kNow),
            (HybridTime{kMicros + kYear, UINT32_MAX}));
  EXPECT_EQ(Next({kMicros + kYear, UINT32_MAX}, kNow), (HybridTime{kMicros + kYear + 1, 0}));
}

TEST(HybridTimeTest, AClockBefore1970IsAClock) {
  EXPECT_GT(Next({}, absl::UnixEpoch() - absl::Hours(1)), HybridTime{});
}

}  // namespace
}  // namespace skerry::edgemeta
