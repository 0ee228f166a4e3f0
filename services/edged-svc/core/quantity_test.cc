#include "services/edged-svc/core/quantity.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::edged {
namespace {

TEST(ParseQuantityTest, KnowsEveryForm) {
  const struct {
    const char* text;
    __int128 nano;
  } kCases[] = {
      {"0", 0},
      {"1", kNano},
      {"500m", kNano / 2},
      {"1.5", kNano * 3 / 2},
      {".5", kNano / 2},
      {"100u", 100'000},
      {"3n", 3},
      {"1k", static_cast<__int128>(1000) * kNano},
      {"64Mi", static_cast<__int128>(64 << 20) * kNano},
      {"1.5Gi", static_cast<__int128>(3) * (1 << 29) * kNano},
      {"1e3", static_cast<__int128>(1000) * kNano},
      {"12E-1", kNano * 12 / 10},
      {"+5", static_cast<__int128>(5) * kNano},
      {"0.0000000001", 1},  // Rounded up.
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<__int128> got = ParseQuantity(c.text);
    ASSERT_TRUE(got.ok()) << c.text << ": " << got.status();
    EXPECT_TRUE(*got == c.nano) << c.text;
  }
}

TEST(ParseQuantityTest, RefusesWhatIsNone) {
  for (const char* text : {"", "-1", "abc", "1Kb", "1.2.3", "m", "1e99", "99999999999999999999999",
                           "9E19", "8Ei8", "1 Mi", "0x10"}) {
    EXPECT_EQ(ParseQuantity(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseQuantityTest, RoundsUpToUnitsAndMillis) {
  EXPECT_EQ(ToUnits(*ParseQuantity("1.1")), 2);
  EXPECT_EQ(ToMillis(*ParseQuantity("1500u")), 2);
  EXPECT_EQ(ToMillis(*ParseQuantity("2")), 2000);
}

}  // namespace
}  // namespace skerry::edged
