#include "services/edge-meta-svc/core/report_order.h"

#include <gtest/gtest.h>

namespace skerry::edgemeta {
namespace {

constexpr int64_t kNow = 1'000'000'000'000;
constexpr int64_t kHour = 3'600'000'000;

TEST(OrderReportTest, ArrivalGivesTheWallTime) {
  EXPECT_EQ(OrderReport(std::nullopt, std::nullopt, {}, kNow), (HybridTime{kNow, 0}));
}

TEST(OrderReportTest, ArrivalTimesNeverGoBackWithTheClock) {
  HybridTime ahead{kNow + kHour, 7};
  EXPECT_EQ(OrderReport(std::nullopt, ahead, ahead, kNow), (HybridTime{kNow + kHour, 8}));
  HybridTime last{kNow, UINT32_MAX};
  EXPECT_EQ(OrderReport(std::nullopt, std::nullopt, last, kNow), (HybridTime{kNow + 1, 0}));
}

TEST(OrderReportTest, AGivenTimeIsKept) {
  HybridTime given{kNow - kHour, 3};
  EXPECT_EQ(OrderReport(given, std::nullopt, {}, kNow), given);
  EXPECT_EQ(OrderReport(given, given, {}, kNow), given) << "a repeat is stored again, not refused";
}

TEST(OrderReportTest, AnOlderValueIsDropped) {
  EXPECT_FALSE(OrderReport(HybridTime{kNow - 1, 0}, HybridTime{kNow, 0}, {}, kNow).has_value());
  EXPECT_FALSE(OrderReport(HybridTime{kNow, 1}, HybridTime{kNow, 2}, {}, kNow).has_value());
}

TEST(OrderReportTest, AClockThatWasSetBackDoesNotHoldOffNewValues) {
  HybridTime stored{kNow + kHour, 2};
  EXPECT_EQ(OrderReport(HybridTime{kNow, 0}, stored, stored, kNow), (HybridTime{kNow + kHour, 3}));
}

}  // namespace
}  // namespace skerry::edgemeta
