#include "services/lib/device/value_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::device {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

PropertyModel Of(ValueType type, const std::string& minimum = "", const std::string& maximum = "") {
  return {.name = "level", .type = type, .writable = true, .minimum = minimum, .maximum = maximum};
}

TEST(ParseValueTypeTest, TakesEveryNameThatItGivesInAnyCase) {
  for (const char* text : {"INT", "FLOAT", "DOUBLE", "STRING", "BOOLEAN", "BYTES", "STREAM"}) {
    const absl::StatusOr<ValueType> type = ParseValueType(text);
    ASSERT_THAT(type, IsOk());
    EXPECT_EQ(NameOf(*type), text);
  }
  EXPECT_EQ(*ParseValueType("Integer"), ValueType::kInt);
  EXPECT_EQ(*ParseValueType("boolean"), ValueType::kBoolean);
}

TEST(ParseValueTypeTest, RefusesOthers) {
  EXPECT_THAT(ParseValueType("bool").status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("'bool'")));
  EXPECT_FALSE(ParseValueType("").ok());
}

struct Case {
  ValueType type;
  std::string value;
  bool good;
};

class CheckValueTest : public ::testing::TestWithParam<Case> {};

TEST_P(CheckValueTest, FollowsTheType) {
  const absl::Status status = CheckValue(Of(GetParam().type), GetParam().value);
  if (GetParam().good) {
    EXPECT_THAT(status, IsOk());
  } else {
    EXPECT_THAT(status,
                AllOf(HasReason("VALUE_TYPE"),
                      StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("level"))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckValueTest,
    ::testing::Values(
        Case{ValueType::kInt, "0", true}, Case{ValueType::kInt, "-9223372036854775808", true},
        Case{ValueType::kInt, "9223372036854775807", true},
        Case{ValueType::kInt, "9223372036854775808", false}, Case{ValueType::kInt, "1.0", false},
        Case{ValueType::kInt, "", false}, Case{ValueType::kInt, " 1", false},
        Case{ValueType::kInt, "0x10", false}, Case{ValueType::kInt, "one", false},
        Case{ValueType::kFloat, "18.5", true}, Case{ValueType::kFloat, "-1e-3", true},
        Case{ValueType::kFloat, "1e39", false}, Case{ValueType::kFloat, "nan", false},
        Case{ValueType::kFloat, "inf", false}, Case{ValueType::kFloat, "", false},
        Case{ValueType::kDouble, "1e39", true}, Case{ValueType::kDouble, "1e309", false},
        Case{ValueType::kDouble, "0x1p3", false}, Case{ValueType::kDouble, "1,5", false},
        Case{ValueType::kBoolean, "true", true}, Case{ValueType::kBoolean, "false", true},
        Case{ValueType::kBoolean, "True", false}, Case{ValueType::kBoolean, "1", false},
        Case{ValueType::kString, "", true}, Case{ValueType::kString, "any thing", true},
        Case{ValueType::kBytes, std::string("\0\xff", 2), true},
        Case{ValueType::kStream, "rtsp://camera", true}));

TEST(CheckValueTest, NumbersLieWithinTheBounds) {
  const PropertyModel level = Of(ValueType::kInt, "-10", "9007199254740993");
  EXPECT_THAT(CheckValue(level, "-10"), IsOk());
  EXPECT_THAT(CheckValue(level, "9007199254740993"), IsOk());
  EXPECT_THAT(CheckValue(level, "-11"), HasReason("VALUE_RANGE"));
  // One more than a double can tell apart.
  EXPECT_THAT(CheckValue(level, "9007199254740994"), HasReason("VALUE_RANGE"));
  EXPECT_THAT(CheckValue(Of(ValueType::kFloat, "0.5"), "0.4999"), HasReason("VALUE_RANGE"));
  EXPECT_THAT(CheckValue(Of(ValueType::kString, "5", "6"), "7"), IsOk());
}

TEST(CheckValueTest, AValueHasABound) {
  EXPECT_THAT(CheckValue(Of(ValueType::kString), std::string(kValueBytesMax, 'x')), IsOk());
  const absl::Status status =
      CheckValue(Of(ValueType::kString), std::string(kValueBytesMax + 1, 'x'));
  EXPECT_THAT(status, HasReason("VALUE_TOO_LARGE"));
  EXPECT_LT(status.message().size(), 300u);
}

TEST(CheckDesiredTest, AReadOnlyPropertyTakesNone) {
  PropertyModel level = Of(ValueType::kInt);
  EXPECT_THAT(CheckDesired(level, "1"), IsOk());
  EXPECT_THAT(CheckDesired(level, "x"), HasReason("VALUE_TYPE"));
  level.writable = false;
  EXPECT_THAT(CheckDesired(level, "1"), HasReason("READ_ONLY"));
  EXPECT_THAT(CheckValue(level, "1"), IsOk());
}

TEST(CheckModelTest, BoundsAreNumbersInOrder) {
  EXPECT_THAT(CheckModel(Of(ValueType::kInt, "1", "1")), IsOk());
  EXPECT_THAT(
      CheckModel(Of(ValueType::kInt, "2", "1")),
      StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("properties[level].maximum")));
  EXPECT_THAT(
      CheckModel(Of(ValueType::kInt, "1.5")),
      StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("properties[level].minimum")));
  EXPECT_THAT(CheckModel(Of(ValueType::kString, "a", "b")), IsOk()) << "means nothing there";
}

TEST(ShownValueTest, CutsBetweenCharacters) {
  const std::string start(63, 'a');
  EXPECT_EQ(ShownValue(start + "b"), start + "b");
  EXPECT_EQ(ShownValue(start + "bc"), start + "b…");
  EXPECT_EQ(ShownValue(start + "\u00e4c"), start + "…");
  EXPECT_EQ(ShownValue(std::string(100, '\x80')), "…");  // No UTF-8 at all.
}

}  // namespace
}  // namespace skerry::device
