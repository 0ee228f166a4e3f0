#include "services/eventbus-svc/core/twin_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/eventbus-svc/core/reasons.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(TwinChangesTest, TypesAreKubeEdges) {
  for (const char* good : {"0", "-7", "+7", "9223372036854775807"}) {
    EXPECT_THAT(CheckValueType("int", good), IsOk()) << good;
    EXPECT_THAT(CheckValueType("integer", good), IsOk()) << good;
  }
  for (const char* bad : {"", " 1", "1 ", "1.5", "abc", "9223372036854775808", "0x10"}) {
    EXPECT_THAT(CheckValueType("int", bad),
                StatusIsWith(absl::StatusCode::kInvalidArgument, kReasonNotInteger))
        << bad;
  }
  for (const char* good : {"1", "-1.5", "1e9", ".5"}) {
    EXPECT_THAT(CheckValueType("float", good), IsOk()) << good;
  }
  for (const char* bad : {"", "1,5", "1.5 ", "abc"}) {
    EXPECT_THAT(CheckValueType("float", bad),
                StatusIsWith(absl::StatusCode::kInvalidArgument, kReasonNotFloat))
        << bad;
  }
  EXPECT_THAT(CheckValueType("boolean", "true"), IsOk());
  EXPECT_THAT(CheckValueType("boolean", "True"),
              StatusIsWith(absl::StatusCode::kInvalidArgument, kReasonNotBoolean));
  for (const char* type : {"double", "bytes", "INT"}) {
    EXPECT_THAT(CheckValueType(type, "1"),
                StatusIsWith(absl::StatusCode::kInvalidArgument, kReasonTypeNotAllowed));
  }
  EXPECT_THAT(CheckValueType("", "anything"), IsOk());
  EXPECT_THAT(CheckValueType("string", "anything"), IsOk());
}

TEST(TwinChangesTest, APropertyKeepsItsTypeAndANewOneTakesTheRequests) {
  const TwinProperties known = {{"temp", {.actual = {"1", 1}, .type = "int"}}};
  TwinUpdateRequest request;
  request.properties["temp"] = PropertyUpdate{.actual = "2", .type = "string"};
  request.properties["fan"] = PropertyUpdate{.expected = "on"};
  request.properties["rate"] = PropertyUpdate{.expected = "1.5", .actual = "1", .type = "float"};
  const auto write = PlanWrite(request, known);
  ASSERT_THAT(write, IsOk());
  EXPECT_THAT(write->expected, ElementsAre(Pair("fan", TypedValue{"on", ""}),
                                           Pair("rate", TypedValue{"1.5", "float"})));
  EXPECT_THAT(write->actual, ElementsAre(Pair("rate", TypedValue{"1", "float"}),
                                         Pair("temp", TypedValue{"2", "int"})));
  request.properties["temp"]->actual = "warm";
  EXPECT_THAT(PlanWrite(request, known), HasReason("VALUE_TYPE"));
}

TEST(TwinChangesTest, NullRemoves) {
  TwinUpdateRequest request;
  EXPECT_TRUE(PlanWrite(request, {})->empty());
  request.properties["temp"] = std::nullopt;
  const auto write = PlanWrite(request, {});
  ASSERT_THAT(write, IsOk());
  EXPECT_THAT(write->removed, ElementsAre("temp"));
  EXPECT_THAT(ChangesOf(*write, {}), ElementsAre(Pair("temp", std::nullopt)));
}

TEST(TwinChangesTest, AResultHasTheSidesThatWereSet) {
  const TwinProperties after = {{"a", {.expected = {"1", 5}, .actual = {"2", 6}}},
                                {"b", {.expected = {"3", 7}}}};
  const TwinWrite write = {.actual = {{"a", {"2", ""}}, {"gone", {"1", ""}}}};
  EXPECT_THAT(ChangesOf(write, after), ElementsAre(Pair("a", TwinProperty{.actual = {"2", 6}})));
}

TEST(TwinChangesTest, TransitionsNameWhatDiffers) {
  const TwinProperties last = {{"a", {.actual = {"1", 1}}}, {"b", {}}, {"gone", {}}};
  const TwinProperties current = {{"a", {.actual = {"1", 2}}}, {"b", {}}, {"new", {}}};
  const auto transitions = TransitionsBetween(last, current);
  ASSERT_EQ(transitions.size(), 3u);
  EXPECT_EQ(transitions.at("a").last->actual.timestamp_ms, 1);
  EXPECT_EQ(transitions.at("a").current->actual.timestamp_ms, 2);
  EXPECT_FALSE(transitions.at("gone").current.has_value());
  EXPECT_FALSE(transitions.at("new").last.has_value());
  EXPECT_THAT(TransitionsBetween(last, last), IsEmpty());
}

}  // namespace
}  // namespace skerry::eventbus
