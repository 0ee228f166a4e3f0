#include "services/edged-svc/core/log_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

using Names = std::vector<std::string>;

constexpr char k1[] = "0.log.20260101-000001";
constexpr char k1gz[] = "0.log.20260101-000001.gz";
constexpr char k2[] = "0.log.20260101-000002";
constexpr char k2gz[] = "0.log.20260101-000002.gz";
constexpr char k2tmp[] = "0.log.20260101-000002.tmp";
constexpr char k3[] = "0.log.20260101-000003";
constexpr char k3gz[] = "0.log.20260101-000003.gz";
constexpr char k4[] = "0.log.20260101-000004";

TEST(LogRotationTest, KnowsWhatItRotated) {
  for (const char* name : {k1, k1gz, k2tmp}) EXPECT_TRUE(IsRotated("0.log", name)) << name;
  for (const char* name :
       {"0.log", "0.log.", "0.log.saved", "1.log.20260101-000001", "10.log.20260101-000001",
        "0.log.20260101-000001.zip", "0.log.2026011-000001", "0.log. 20260101-000001",
        "0.log.20261301-000001", "0.log.20260101-000001-more"})
    EXPECT_FALSE(IsRotated("0.log", name)) << name;
}

TEST(LogRotationTest, KeepsTheNewestAndCompressesAllButTheLast) {
  const struct {
    Names rotated;
    int64_t files_max;
    Names remove, compress;
  } kCases[] = {
      {{}, 5, {}, {}},
      {{k1}, 5, {}, {k1}},
      {{k2, k1gz}, 5, {}, {k2}},
      {{k1gz, k2gz, k3}, 5, {}, {k3}},
      {{k4, k3gz, k2gz, k1gz}, 5, {k1gz}, {k4}},
      {{k1gz, k2gz, k3}, 3, {k1gz, k2gz}, {k3}},
      {{k1gz, k2}, 2, {k1gz, k2}, {}},
      // Cut off while k2 was being compressed, and after that but before it was removed.
      {{k1gz, k2, k2tmp}, 5, {k2tmp}, {k2}},
      {{k1gz, k2, k2gz}, 5, {k2}, {}},
      // Cut off before any was compressed, or the disk was full then.
      {{k1, k2, k3}, 5, {}, {k1, k2, k3}},
  };
  for (const auto& c : kCases) {
    const RotationPlan plan = PlanRotation(c.rotated, c.files_max);
    EXPECT_EQ(plan.remove, c.remove) << ::testing::PrintToString(c.rotated);
    EXPECT_EQ(plan.compress, c.compress) << ::testing::PrintToString(c.rotated);
  }
}

TEST(LogRotationTest, TheNewestIsTheOneThatMayStillBeWritten) {
  EXPECT_EQ(Newest({}), "");
  EXPECT_EQ(Newest({k2, k1gz}), k2);
  EXPECT_EQ(Newest({k1, k2gz}), "");
  EXPECT_EQ(Newest({k2, k2tmp}), "");
}

// [edged-2.5] Names are the order of age: a clock that goes back must not make a new log the
// oldest.
TEST(LogRotationTest, NamesOnlyGoForward) {
  const absl::Time now =
      absl::FromCivil(absl::CivilSecond(2026, 1, 1, 0, 0, 2), absl::UTCTimeZone());
  const auto name = [&](const Names& rotated) {
    return RotatedName("0.log", rotated, now, absl::UTCTimeZone());
  };
  EXPECT_EQ(name({}), k2);
  EXPECT_EQ(name({k1gz}), k2);
  EXPECT_EQ(name({k2}), k3);
  EXPECT_EQ(name({k3gz, k1gz}), k4);
  EXPECT_EQ(name({"0.log.20301231-235959"}), "0.log.20310101-000000");
  EXPECT_EQ(RotatedName("0.log", {}, now, absl::FixedTimeZone(3600)), "0.log.20260101-010002");
}

}  // namespace
}  // namespace skerry::edged
