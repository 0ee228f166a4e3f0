// What a hostile or careless client may send too much of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

constexpr auto kBad = absl::StatusCode::kInvalidArgument;

// The number of properties; a million where it is refused.
size_t Properties(absl::string_view payload) {
  const Parsed<TwinUpdateRequest> parsed = ParseTwinUpdate(payload);
  EXPECT_EQ(parsed.event_id, "e");
  SKERRY_EXPECT_OK(parsed.request);
  return parsed.request.ok() ? parsed.request->properties.size() : 1000000;
}

std::string WithTwin(absl::string_view twin) {
  return absl::StrCat(R"({"event_id":"e","twin":)", twin, "}");
}

std::string Twin(size_t properties, absl::string_view more = "") {
  std::string twin = "{";
  for (size_t i = 0; i < properties; ++i)
    absl::StrAppend(&twin, i == 0 ? "" : ",", "\"p", i, "\":null");
  return absl::StrCat(twin, more, "}");
}

TEST(TwinUpdateBoundsTest, Properties) {
  EXPECT_EQ(Properties(WithTwin(Twin(kPropertiesMax))), kPropertiesMax);
  EXPECT_EQ(Properties(WithTwin(Twin(kPropertiesMax, R"(,"p0":{})"))), kPropertiesMax);
  const auto parsed = ParseTwinUpdate(
      absl::StrCat(R"({"twin":)", Twin(kPropertiesMax, R"(,"q":{"actual":{"value":"1"}})"),
                   R"(,"event_id":"e"})"));
  EXPECT_EQ(parsed.event_id, "e");
  EXPECT_THAT(parsed.request, StatusIsWith(kBad, HasSubstr("more than 1000 twin properties")));
  EXPECT_THAT(parsed.request, HasReason("TOO_MANY_PROPERTIES"));
  // The last twin counts.
  EXPECT_EQ(Properties(absl::StrCat(R"({"event_id":"e","twin":)", Twin(kPropertiesMax + 1),
                                    R"(,"twin":{}})")),
            0u);
}

TEST(TwinUpdateBoundsTest, PayloadBytes) {
  std::string payload = WithTwin("{}");
  payload.append(kPayloadBytesMax - payload.size(), ' ');
  EXPECT_EQ(Properties(payload), 0u);
  payload += ' ';
  auto parsed = ParseTwinUpdate(payload);
  EXPECT_EQ(parsed.event_id, "e");
  EXPECT_THAT(parsed.request,
              StatusIsWith(kBad, HasSubstr("has 262145 bytes: send at most 262144")));
  EXPECT_THAT(parsed.request, HasReason("PAYLOAD_TOO_LARGE"));
  parsed = ParseTwinUpdate(std::string(50 << 20, '['));
  EXPECT_EQ(parsed.event_id, "");
  EXPECT_THAT(parsed.request, HasReason("PAYLOAD_TOO_LARGE"));
}

TEST(TwinUpdateBoundsTest, Depth) {
  for (const std::string open : {"[", R"({"a":)"}) {
    for (const char* before :
         {"", R"({"event_id":"e","twin":)", R"({"event_id":"e","twin":{"temp":{"metadata":)"}) {
      std::string payload = before;
      for (int i = 0; i < 100000 && payload.size() + open.size() <= kPayloadBytesMax; ++i)
        payload += open;
      const auto parsed = ParseTwinUpdate(payload);
      EXPECT_THAT(parsed.request, HasReason("JSON_TOO_DEEP"));
      EXPECT_EQ(parsed.event_id, *before == '\0' ? "" : "e");
    }
  }
  EXPECT_THAT(ParseTwinUpdate(std::string(100000, '[') + std::string(100000, ']')).request,
              StatusIsWith(kBad, HasSubstr("deeper than 32 levels")));
  EXPECT_EQ(Properties(absl::StrCat(R"({"event_id":"e","twin":{},"x":)", std::string(31, '['),
                                    std::string(31, ']'), "}")),
            0u);
}

}  // namespace
}  // namespace skerry::eventbus
