#include "services/eventbus-svc/core/twin_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/reasons.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr auto kBad = absl::StatusCode::kInvalidArgument;

using Properties = std::map<std::string, std::optional<PropertyUpdate>>;

Properties Update(absl::string_view payload) {
  Parsed<TwinUpdateRequest> parsed = ParseTwinUpdate(payload);
  EXPECT_EQ(parsed.event_id, "e");
  SKERRY_EXPECT_OK(parsed.request) << payload;
  return parsed.request.ok() ? parsed.request->properties : Properties();
}

std::string WithTwin(absl::string_view twin) {
  return absl::StrCat(R"({"event_id":"e","timestamp":1,"twin":)", twin, "}");
}
std::string WithProperty(absl::string_view property) {
  return WithTwin(absl::StrCat(R"({"temp":)", property, "}"));
}

std::string Detail(const absl::Status& status) { return GetErrorInfo(status).metadata["detail"]; }

void ExpectUnreadable(const Parsed<TwinUpdateRequest>& parsed, absl::string_view detail) {
  EXPECT_THAT(parsed.request, StatusIsWith(kBad, std::string(kReasonUpdateUnreadable)));
  EXPECT_THAT(parsed.request, HasReason("REQUEST_UNREADABLE"));
  EXPECT_THAT(Detail(parsed.request.status()), StartsWith(std::string(detail)));
}

TEST(ParseTwinUpdateTest, TakesAllParts) {
  EXPECT_THAT(
      Update(WithTwin(R"({"temp":{"expected":{"value":"20"},"actual":{"value":"18"},
                          "optional":false,"metadata":{"type":"int"}},
                  "rate":null,"name":{"actual":{"value":""}},"nothing":{}})")),
      UnorderedElementsAre(Pair("temp", PropertyUpdate{"20", "18", false, "int"}),
                           Pair("rate", std::nullopt), Pair("name", PropertyUpdate{.actual = ""}),
                           Pair("nothing", PropertyUpdate{})));
  EXPECT_THAT(Update(WithTwin("{}")), IsEmpty());
}

TEST(ParseTwinUpdateTest, TakesNullForAbsent) {
  const auto is_empty = UnorderedElementsAre(Pair("temp", PropertyUpdate{}));
  for (const char* property :
       {R"({"expected":null,"actual":null,"optional":null,"metadata":null})",
        R"({"expected":{},"actual":{"value":null},"metadata":{"type":null}})"}) {
    EXPECT_THAT(Update(WithProperty(property)), is_empty) << property;
  }
}

TEST(ParseTwinUpdateTest, IgnoresTimestampsAndWhatItDoesNotKnow) {
  for (const char* property :
       {R"({"expected":{"value":"1","metadata":{"timestamp":"x"},"more":[{}]}})",
        R"({"expected":{"value":"1","metadata":[1]},"expected_version":7,"metadata":{"x":1}})",
        R"({"more":{"value":1,"expected":1},"expected":{"value":"1","value2":2}})"}) {
    EXPECT_THAT(Update(WithProperty(property)),
                UnorderedElementsAre(Pair("temp", PropertyUpdate{.expected = "1"})));
  }
  for (const char* timestamp : {"1", "-1.5", "\"x\"", "null", "{}", "[[1]]", "true"}) {
    const std::string payload = absl::StrCat(R"({"event_id":"e","timestamp":)", timestamp,
                                             R"(,"x":{"twin":1,"event_id":"f"},"twin":{}})");
    EXPECT_THAT(Update(payload), IsEmpty());
  }
  // Lists are none of the members, so what is in them has no name.
  EXPECT_THAT(Update(R"({"event_id":"e","twin":{},"x":[{"event_id":"f","twin":7}]})"), IsEmpty());
}

TEST(ParseTwinUpdateTest, LastOfRepeatedMembersWins) {
  EXPECT_THAT(Update(R"({"event_id":"a","event_id":"e","twin":{"x":null},"twin":{"y":null}})"),
              UnorderedElementsAre(Pair("y", std::nullopt)));
  EXPECT_THAT(Update(WithTwin(R"({"a":{"actual":{"value":"1"}},"a":{"expected":{"value":"2"}}})")),
              UnorderedElementsAre(Pair("a", PropertyUpdate{.expected = "2"})));
  EXPECT_THAT(Update(WithTwin(R"({"a":{"actual":{"value":"1"}},"a":null})")),
              UnorderedElementsAre(Pair("a", std::nullopt)));
  EXPECT_THAT(Update(WithTwin(R"({"a":null,"a":{"actual":{"value":"1","value":"2"}}})")),
              UnorderedElementsAre(Pair("a", PropertyUpdate{.actual = "2"})));
  EXPECT_THAT(Update(WithProperty(R"({"actual":{"value":"1"},"actual":{},"optional":true,
                                      "optional":null,"metadata":{"type":"int"},"metadata":null})")),
              UnorderedElementsAre(Pair("temp", PropertyUpdate{})));
  EXPECT_THAT(ParseTwinUpdate(R"({"twin":{},"twin":null})").request, HasReason("TWIN_MISSING"));
  EXPECT_EQ(ParseTwinUpdate(R"({"event_id":"a","event_id":null,"twin":{}})").event_id, "");
}

TEST(ParseTwinUpdateTest, RefusesWrongKindsEverywhere) {
  const std::vector<std::pair<std::string, std::string>> places = {
      {"@", "the payload must be an object"},
      {R"({"event_id":@})", "event_id must be a string"},
      {WithTwin("@"), "twin must be an object"},
      {WithProperty("@"), "twin.temp must be an object or null"},
      {WithProperty(R"({"expected":@})"), "twin.temp.expected must be an object"},
      {WithProperty(R"({"actual":@})"), "twin.temp.actual must be an object"},
      {WithProperty(R"({"expected":{"value":@}})"), "twin.temp.expected.value must be a string"},
      {WithProperty(R"({"actual":{"value":@}})"), "twin.temp.actual.value must be a string"},
      {WithProperty(R"({"optional":@})"), "twin.temp.optional must be true or false"},
      {WithProperty(R"({"metadata":@})"), "twin.temp.metadata must be an object"},
      {WithProperty(R"({"metadata":{"type":@}})"), "twin.temp.metadata.type must be a string"},
  };
  const std::vector<std::pair<std::string, std::string>> values = {
      {"true", "true"}, {"1", "number"},    {"-1", "number"}, {"1.5", "number"},
      {"[]", "list"},   {"[{}]", "object"}, {"{}", "object"}, {"\"x\"", "string"}};
  for (const auto& [place, detail] : places) {
    for (const auto& [value, kind] : values) {
      if (detail.ends_with("true or false") && value == "true") continue;
      if (detail.ends_with("a string") && kind == "string") continue;
      if (absl::StrContains(detail, "an object") && value == "{}") continue;
      std::string payload = place;
      payload.replace(payload.find('@'), 1, value);
      SCOPED_TRACE(payload);
      ExpectUnreadable(ParseTwinUpdate(payload), detail);
    }
  }
}

TEST(ParseTwinUpdateTest, ComplainsOfTheFirstWrongKindOnly) {
  const auto parsed =
      ParseTwinUpdate(R"({"twin":{"a":{"optional":1},"b":3,"x y":null},"event_id":"e"})");
  ExpectUnreadable(parsed, "twin.a.optional must be");
  EXPECT_EQ(parsed.event_id, "e");  // Behind the fault, and yet readable.
}

TEST(ParseTwinUpdateTest, KeepsTheEventIdOfWhatIsNotJson) {
  auto parsed = ParseTwinUpdate(R"({"event_id":"e5","twin":{"temp":{"actual":{"value":"18)");
  ExpectUnreadable(parsed, "the payload is not valid JSON at byte ");
  EXPECT_EQ(parsed.event_id, "e5");
  parsed = ParseTwinUpdate(std::string("{\"event_id\":\"e6\",\"twin\":{}}\0", 28));
  ExpectUnreadable(parsed, "the payload is not valid JSON at byte 28");
  EXPECT_EQ(parsed.event_id, "e6");
  for (const char* payload : {"", "18", "temp=18", "{", "\xFF", R"({"twin":!,"event_id":"e5"})",
                              R"({"event_id":"e5)", R"({"twin":{"event_id":"e5"},)"}) {
    parsed = ParseTwinUpdate(payload);
    ExpectUnreadable(parsed, "the payload ");
    EXPECT_EQ(parsed.event_id, "") << payload;
  }
}

TEST(ParseTwinUpdateTest, NeedsATwin) {
  for (const char* payload : {R"({"event_id":"e"})", R"({"event_id":"e","twin":null})",
                              R"({"event_id":"e","Twin":{}})", R"({"event_id":"e","":{}})"}) {
    const auto parsed = ParseTwinUpdate(payload);
    EXPECT_EQ(parsed.event_id, "e");
    EXPECT_THAT(parsed.request, StatusIsWith(kBad, std::string(kReasonTwinMissing)));
    EXPECT_THAT(parsed.request, HasReason("TWIN_MISSING"));
  }
  EXPECT_THAT(ParseTwinUpdate("null").request, HasReason("TWIN_MISSING"));
  EXPECT_THAT(ParseTwinUpdate("{}").request, HasReason("TWIN_MISSING"));
}

TEST(ParseTwinUpdateTest, ChecksNamesThenValues) {
  auto parsed = ParseTwinUpdate(WithTwin(R"({"a":{"actual":{"value":"1 2"}},"x y":null})"));
  EXPECT_EQ(parsed.event_id, "e");
  EXPECT_THAT(parsed.request, StatusIsWith(kBad, HasSubstr(R"(name "x y" has U+0020 at byte 2)")));
  EXPECT_THAT(parsed.request, HasReason("PROPERTY_NAME_INVALID"));

  parsed = ParseTwinUpdate(
      WithTwin(R"({"b":{"actual":{"value":"+"}},"a":{"expected":{"value":"{}"}},"c":null})"));
  EXPECT_EQ(parsed.event_id, "e");
  EXPECT_THAT(parsed.request, StatusIsWith(kBad, HasSubstr(R"("a": its expected value has '{')")));
  EXPECT_THAT(parsed.request, HasReason("PROPERTY_VALUE_INVALID"));

  parsed = ParseTwinUpdate(WithProperty(R"({"actual":{"value":"20\u00b0"}})"));
  EXPECT_THAT(parsed.request,
              StatusIsWith(kBad, HasSubstr(R"("temp": its actual value has U+00B0 at byte 3)")));
  EXPECT_THAT(ParseTwinUpdate(WithTwin(R"({"":null})")).request,
              HasReason("PROPERTY_NAME_INVALID"));
  EXPECT_THAT(ParseTwinUpdate(WithTwin(R"({"a\u0000":null})")).request,
              HasReason("PROPERTY_NAME_INVALID"));
}

TEST(ParseTwinUpdateTest, TakesUnicodeInEventIds) {
  const auto parsed =
      ParseTwinUpdate("{\"event_id\":\"\\u00e9\U0001F600\\ud83d\\ude00\",\"twin\":{}}");
  SKERRY_EXPECT_OK(parsed.request);
  EXPECT_EQ(parsed.event_id, "\u00E9\U0001F600\U0001F600");
}

TEST(ParseBareRequestsTest, TakeTheEventId) {
  for (const char* payload : {R"({"event_id":"g1"})", R"({"event_id":"g1","timestamp":"now"})",
                              R"({"twin":[1],"event_id":"g1","state":7})"}) {
    EXPECT_EQ(ParseTwinGet(payload).event_id, "g1");
    SKERRY_EXPECT_OK(ParseTwinGet(payload).request);
    EXPECT_EQ(ParseMembershipGet(payload).event_id, "g1");
    SKERRY_EXPECT_OK(ParseMembershipGet(payload).request);
  }
  SKERRY_EXPECT_OK(ParseTwinGet("{}").request);
  SKERRY_EXPECT_OK(ParseMembershipGet("null").request);
  for (const char* payload : {"", "[]", "7", R"({"event_id":7})", R"({"event_id":"g1"}})"}) {
    EXPECT_THAT(ParseTwinGet(payload).request, HasReason("REQUEST_UNREADABLE")) << payload;
    EXPECT_THAT(ParseTwinGet(payload).request, StatusIsWith(kBad, HasSubstr("twin get request")));
    EXPECT_THAT(ParseMembershipGet(payload).request, HasReason("REQUEST_UNREADABLE")) << payload;
  }
  EXPECT_EQ(ParseTwinGet(R"({"event_id":"g1"}})").event_id, "g1");
  EXPECT_THAT(ParseTwinGet(std::string(100000, '[')).request, HasReason("JSON_TOO_DEEP"));
  EXPECT_THAT(ParseMembershipGet(std::string(kPayloadBytesMax + 1, ' ')).request,
              HasReason("PAYLOAD_TOO_LARGE"));
}

TEST(ParseStateUpdateTest, TakesKubeEdgesStates) {
  const std::vector<std::pair<std::string, bool>> states = {
      {"online", true},   {"ok", true},       {"OnLine", true},     {"OK", true},
      {"offline", false}, {"unknown", false}, {"unhealthy", false}, {"Offline", false}};
  for (const auto& [state, connected] : states) {
    const auto parsed =
        ParseStateUpdate(absl::StrCat(R"({"event_id":"s","timestamp":1,"state":")", state, "\"}"));
    EXPECT_EQ(parsed.event_id, "s");
    SKERRY_ASSERT_OK(parsed.request);
    EXPECT_EQ(parsed.request->state, state);  // As it was written.
    EXPECT_EQ(parsed.request->connected, connected) << state;
  }
}

TEST(ParseStateUpdateTest, RefusesOthers) {
  for (const char* payload :
       {R"({"event_id":"s","state":"on"})", R"({"event_id":"s","state":""})", R"({"event_id":"s"})",
        R"({"event_id":"s","state":null})", R"({"event_id":"s","state":"ok","state":"\u0000"})"}) {
    const auto parsed = ParseStateUpdate(payload);
    EXPECT_EQ(parsed.event_id, "s");
    EXPECT_THAT(parsed.request, HasReason("STATE_INVALID")) << payload;
    EXPECT_THAT(parsed.request, StatusIsWith(kBad, HasSubstr("use online, offline, ok")));
  }
  for (const char* payload : {"", R"({"event_id":"s","state":1})", R"({"state":{}})"})
    EXPECT_THAT(ParseStateUpdate(payload).request, HasReason("REQUEST_UNREADABLE")) << payload;
  EXPECT_THAT(ParseStateUpdate(std::string(kPayloadBytesMax + 1, '[')).request,
              HasReason("PAYLOAD_TOO_LARGE"));
}

}  // namespace
}  // namespace skerry::eventbus
