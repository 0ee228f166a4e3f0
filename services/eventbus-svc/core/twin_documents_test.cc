#include "services/eventbus-svc/core/twin_documents.h"

#include <gtest/gtest.h>

#include <string>

#include "services/eventbus-svc/core/reasons.h"
#include "services/eventbus-svc/core/twin_values.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {
namespace {

const DocumentHead kHead = {.event_id = "e1", .timestamp_ms = 1700000000123};

TwinProperty Property(std::optional<std::string> expected, std::optional<std::string> actual) {
  return {.expected = {std::move(expected), 5}, .actual = {std::move(actual), 6}, .type = "int"};
}

DeviceSummary Device(absl::string_view name) { return {.name = *DeviceName::Parse(name)}; }

TEST(UpdateResultJsonTest, HasTheChangedSides) {
  EXPECT_EQ(
      UpdateResultJson(kHead, {{"b", Property(std::nullopt, "1")},
                               {"a", Property("", std::nullopt)},
                               {"c", std::nullopt},
                               {"d", TwinProperty{.optional = false, .type = ""}}}),
      R"({"event_id":"e1","timestamp":1700000000123,"twin":{)"
      R"("a":{"expected":{"value":"","metadata":{"timestamp":5}},"optional":true,"metadata":{"type":"int"}},)"
      R"("b":{"actual":{"value":"1","metadata":{"timestamp":6}},"optional":true,"metadata":{"type":"int"}},)"
      R"("c":null,"d":{"optional":false,"metadata":{}}}})");
}

TEST(UpdateResultJsonTest, IsAnEmptyTwinWithoutChanges) {
  EXPECT_EQ(UpdateResultJson(kHead, {}),
            R"({"event_id":"e1","timestamp":1700000000123,"twin":{}})");
}

TEST(ErrorResultJsonTest, HasCodeAndReason) {
  EXPECT_EQ(ErrorResultJson({"", 7}, absl::InvalidArgumentError("a \"b\"")),
            R"({"event_id":"","timestamp":7,"code":400,"reason":"a \"b\""})");
}

TEST(ErrorResultJsonTest, SurvivesWhatIsNotUtf8) {
  EXPECT_EQ(ErrorResultJson({"\xFF", 7}, absl::NotFoundError("\xC3")),
            "{\"event_id\":\"\uFFFD\",\"timestamp\":7,\"code\":404,\"reason\":\"\uFFFD\"}");
}

TEST(ResultCodeTest, SaysWhoMustMendIt) {
  EXPECT_EQ(ResultCode(absl::StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(ResultCode(absl::StatusCode::kFailedPrecondition), 400);
  EXPECT_EQ(ResultCode(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(ResultCode(absl::StatusCode::kAborted), 409);
  for (const auto code : {absl::StatusCode::kInternal, absl::StatusCode::kUnavailable,
                          absl::StatusCode::kResourceExhausted, absl::StatusCode::kDataLoss})
    EXPECT_EQ(ResultCode(code), 500);
}

TEST(UpdateDocumentJsonTest, HasNullForNone) {
  EXPECT_EQ(
      UpdateDocumentJson(kHead, {{"gone", {Property(std::nullopt, "1"), std::nullopt}},
                                 {"new", {std::nullopt, Property("2", std::nullopt)}}}),
      R"({"event_id":"e1","timestamp":1700000000123,"twin":{)"
      R"("gone":{"last":{"actual":{"value":"1","metadata":{"timestamp":6}},"optional":true,"metadata":{"type":"int"}},"current":null},)"
      R"("new":{"last":null,"current":{"expected":{"value":"2","metadata":{"timestamp":5}},"optional":true,"metadata":{"type":"int"}}}}})");
  EXPECT_EQ(UpdateDocumentJson(kHead, {}),
            R"({"event_id":"e1","timestamp":1700000000123,"twin":{}})");
}

TEST(DeltaJsonTest, IsNoneWhereNothingDiffers) {
  EXPECT_EQ(DeltaJson(kHead, {}), std::nullopt);
  EXPECT_EQ(DeltaJson(kHead, {{"equal", Property("1", "1")},
                              {"free", Property(std::nullopt, "1")},
                              {"empty", Property("", "1")}}),
            std::nullopt);
}

TEST(DeltaJsonTest, ListsAllThatHaveAnExpectedValue) {
  EXPECT_EQ(
      DeltaJson(kHead, {{"differs", Property("2", "1")},
                        {"empty", Property("", "1")},
                        {"equal", Property("1", "1")},
                        {"free", Property(std::nullopt, "1")},
                        {"silent", Property("3", std::nullopt)}}),
      R"({"event_id":"e1","timestamp":1700000000123,"twin":{)"
      R"("differs":{"expected":{"value":"2","metadata":{"timestamp":5}},"actual":{"value":"1","metadata":{"timestamp":6}},"optional":true,"metadata":{"type":"int"}},)"
      R"("equal":{"expected":{"value":"1","metadata":{"timestamp":5}},"actual":{"value":"1","metadata":{"timestamp":6}},"optional":true,"metadata":{"type":"int"}},)"
      R"("silent":{"expected":{"value":"3","metadata":{"timestamp":5}},"optional":true,"metadata":{"type":"int"}}},)"
      R"("delta":{"differs":"2","silent":"3"}})");
}

TEST(StateResultJsonTest, HasNoIdAndNoEmptyFields) {
  DeviceSummary device = Device("default/temp-1");
  device.description = "not here";
  device.state = "offline";
  EXPECT_EQ(
      StateResultJson(kHead, device),
      R"({"event_id":"e1","timestamp":1700000000123,"device":{"name":"temp-1","state":"offline"}})");
}

TEST(MembershipResultJsonTest, ListsDevicesWithoutTwins) {
  DeviceSummary full = Device("plant-a/pump.2");
  full.description = "\u00E9";
  full.state = "ok";
  full.last_online = absl::FromUnixMillis(1704067200999);
  EXPECT_EQ(MembershipResultJson(kHead, {Device("default/temp-1"), full}),
            R"({"event_id":"e1","timestamp":1700000000123,"devices":[)"
            R"({"id":"default/temp-1","name":"temp-1"},)"
            R"({"id":"plant-a/pump.2","name":"pump.2","description":"é","state":"ok",)"
            R"("lastOnlineTime":"2024-01-01T00:00:00Z"}]})");
  EXPECT_EQ(MembershipResultJson(kHead, {}),
            R"({"event_id":"e1","timestamp":1700000000123,"devices":[]})");
}

TEST(MembershipUpdatedJsonTest, HasNullForNoDevices) {
  DeviceSummary device = Device("default/temp-1");
  device.state = "online";  // Is not announced.
  EXPECT_EQ(MembershipUpdatedJson(kHead, {}, {device}),
            R"({"event_id":"e1","timestamp":1700000000123,"added_devices":null,)"
            R"("removed_devices":[{"id":"default/temp-1","name":"temp-1"}]})");
}

}  // namespace
}  // namespace skerry::eventbus
