#include "services/twin-svc/dmi/custom_values.h"

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/json/json_reader.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using google::protobuf::Any;
using google::protobuf::BoolValue;
using google::protobuf::FloatValue;
using google::protobuf::Int64Value;
using google::protobuf::StringValue;
using ::testing::AllOf;
using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;
using testing::StatusIs;
using testing::StatusIsWith;

template <typename Wrapper>
bool Holds(const Any& any, const decltype(Wrapper().value())& value) {
  Wrapper wrapper;
  return any.UnpackTo(&wrapper) && wrapper.value() == value;
}

MATCHER_P(IsString, value, "") { return Holds<StringValue>(arg, value); }
MATCHER_P(IsBool, value, "") { return Holds<BoolValue>(arg, value); }
MATCHER_P(IsFloat, value, "") {
  *result_listener << arg.DebugString();
  return Holds<FloatValue>(arg, value);
}
MATCHER_P(IsInt64, value, "") {
  *result_listener << arg.DebugString();
  return Holds<Int64Value>(arg, value);
}

absl::Status Add(const std::string& text, CustomValues& out) {
  const nlohmann::json document = nlohmann::json::parse(text);
  absl::Status status;
  AddMissingValues(JsonReader(document, "DEVICE_INVALID", status), out);
  return status;
}

// The value as a mapper gets it; empty with a test failure where it is refused.
Any Sent(absl::string_view value) {
  CustomValues out;
  EXPECT_THAT(Add(absl::StrCat("{\"k\": ", value, "}"), out), IsOk()) << value;
  return out["k"];
}

absl::Status Refusal(absl::string_view value) {
  CustomValues out;
  return Add(absl::StrCat("{\"k\": ", value, "}"), out);
}

TEST(AddMissingValuesTest, SendsStringsAndBooleans) {
  EXPECT_THAT(Sent("\"\""), IsString(""));
  EXPECT_THAT(Sent("\"16777217\""), IsString("16777217"));
  EXPECT_THAT(Sent("\"\\u00b0C\\u0000\""), IsString(std::string("\xc2\xb0"
                                                                "C\0",
                                                                4)));
  EXPECT_THAT(Sent("true"), IsBool(true));
  EXPECT_THAT(Sent("false"), IsBool(false));
}

// The types that KubeEdge's framework looks for by name.
TEST(AddMissingValuesTest, NamesTheTypesThatMappersKnow) {
  EXPECT_EQ(Sent("\"x\"").type_url(), "type.googleapis.com/google.protobuf.StringValue");
  EXPECT_EQ(Sent("true").type_url(), "type.googleapis.com/google.protobuf.BoolValue");
  EXPECT_EQ(Sent("1").type_url(), "type.googleapis.com/google.protobuf.FloatValue");
  EXPECT_EQ(Sent("16777217").type_url(), "type.googleapis.com/google.protobuf.Int64Value");
}

TEST(AddMissingValuesTest, SendsWhatFloat32HoldsAsFloat) {
  EXPECT_THAT(Sent("0"), IsFloat(0.0f));
  EXPECT_THAT(Sent("-1"), IsFloat(-1.0f));
  EXPECT_THAT(Sent("0.5"), IsFloat(0.5f));
  EXPECT_THAT(Sent("-2.25"), IsFloat(-2.25f));
  EXPECT_THAT(Sent("16777216"), IsFloat(16777216.0f));
  EXPECT_THAT(Sent("-16777216"), IsFloat(-16777216.0f));
  EXPECT_THAT(Sent("16777218"), IsFloat(16777218.0f));
  EXPECT_THAT(Sent("1e20"), IsFloat(1e20f));
  EXPECT_THAT(Sent("9223372036854775808"), IsFloat(0x1p63f));
  EXPECT_THAT(Sent("-9223372036854775808"), IsFloat(-0x1p63f));
}

TEST(AddMissingValuesTest, SendsOtherIntegersAsInt64) {
  EXPECT_THAT(Sent("16777217"), IsInt64(16777217));
  EXPECT_THAT(Sent("-16777217"), IsInt64(-16777217));
  EXPECT_THAT(Sent("16777217.0"), IsInt64(16777217));
  EXPECT_THAT(Sent("1.6777217e7"), IsInt64(16777217));
  EXPECT_THAT(Sent("4102444800001"), IsInt64(4102444800001));
  EXPECT_THAT(Sent("9223372036854775807"), IsInt64(std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(Sent("-9223372036854775807"), IsInt64(-std::numeric_limits<int64_t>::max()));
}

TEST(AddMissingValuesTest, RoundsTheRestToTheNearestFloat) {
  EXPECT_THAT(Sent("0.1"), IsFloat(0.1f));
  EXPECT_THAT(Sent("-0.1"), IsFloat(-0.1f));
  EXPECT_THAT(Sent("16777217.5"), IsFloat(16777218.0f));
  EXPECT_THAT(Sent("1e-300"), IsFloat(0.0f));
  EXPECT_THAT(Sent("18446744073709551615"), IsFloat(0x1p64f));
  EXPECT_THAT(Sent("1e21"), IsFloat(1e21f));
  EXPECT_THAT(Sent("3.4028234e38"), IsFloat(std::numeric_limits<float>::max()));
}

TEST(AddMissingValuesTest, RefusesNumbersBeyondFloat32) {
  for (const char* value : {"1e300", "-1e300", "3.5e38"}) {
    EXPECT_THAT(Refusal(value), StatusIsWith(absl::StatusCode::kInvalidArgument,
                                             AllOf(StartsWith("k is a number beyond"),
                                                   HasSubstr("write it as a string"))))
        << value;
  }
}

TEST(AddMissingValuesTest, RefusesWhatIsNotANumberInJsonEither) {
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const nlohmann::json document = {{"k", value}};
    absl::Status status;
    CustomValues out;
    AddMissingValues(JsonReader(document, "DEVICE_INVALID", status), out);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << value;
  }
}

TEST(AddMissingValuesTest, RefusesNullObjectsAndLists) {
  EXPECT_THAT(Refusal("null"),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           AllOf(StartsWith("k is null, mappers read only strings, numbers"),
                                 HasSubstr("leave the key out"))));
  EXPECT_THAT(Refusal("{\"a\": 1}"),
              StatusIsWith(absl::StatusCode::kInvalidArgument, StartsWith("k is an object, ")));
  EXPECT_THAT(Refusal("[]"),
              StatusIsWith(absl::StatusCode::kInvalidArgument, StartsWith("k is a list, ")));
  EXPECT_THAT(Refusal("[]"), HasReason("DEVICE_INVALID"));
}

// KubeEdge takes this key for its own wrapper and loses the device.
TEST(AddMissingValuesTest, HasNoSpecialKey) {
  CustomValues out;
  EXPECT_THAT(Add(R"({"data": "x", "@type": "y", "": "z"})", out), IsOk());
  EXPECT_THAT(out["data"], IsString("x"));
  EXPECT_THAT(out["@type"], IsString("y"));
  EXPECT_THAT(out[""], IsString("z"));
}

TEST(AddMissingValuesTest, KeepsWhatIsThere) {
  CustomValues out;
  EXPECT_THAT(Add(R"({"a": "first", "b": ""})", out), IsOk());
  EXPECT_THAT(Add(R"({"a": "second", "b": "second", "c": "second"})", out), IsOk());
  EXPECT_THAT(out["a"], IsString("first"));
  EXPECT_THAT(out["b"], IsString(""));
  EXPECT_THAT(out["c"], IsString("second"));
}

// A device can mend a model that its owner may not change.
TEST(AddMissingValuesTest, DoesNotLookAtValuesThatAreNotMissing) {
  CustomValues out;
  EXPECT_THAT(Add(R"({"a": "first"})", out), IsOk());
  EXPECT_THAT(Add(R"({"a": null})", out), IsOk());
}

}  // namespace
}  // namespace skerry::twin
