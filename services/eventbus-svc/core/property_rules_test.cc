#include "services/eventbus-svc/core/property_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

constexpr auto kBad = absl::StatusCode::kInvalidArgument;

TEST(CheckPropertyNameTest, TakesKubeEdgesCharacters) {
  for (const std::string& good :
       {std::string("t"), std::string("azAZ09-_.,:/@#"), std::string(128, 'x')}) {
    SKERRY_EXPECT_OK(CheckPropertyName(good));
    SKERRY_EXPECT_OK(CheckPropertyValue("p", "actual", good));
  }
}

TEST(CheckPropertyNameTest, SaysWhatIsWrongWhere) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", R"(name "" is empty)"},
      {"x y", R"(name "x y" has U+0020 at byte 2: use 1 to 128 of)"},
      {"a+b", "has '+' at byte 2"},
      {"%", "has '%' at byte 1"},
      {"a\"b", R"(name "a\"b" has '"' at byte 2)"},
      {"t\u00E9", R"(name "t\xc3\xa9" has U+00E9 at byte 2)"},
      {"\U0001F600", "has U+1F600 at byte 1"},
      {std::string("a\0", 2), R"(name "a\x00" has U+0000 at byte 2)"},
      {"a\x7F", "has U+007F at byte 2"},
      {"a\xFF", "has U+00FF at byte 2"},  // No UTF-8: the byte.
      {std::string(129, 'x'), "xxx...\" has 129 bytes: use 1 to 128 of"},
      {std::string(200000, ' '), "has U+0020 at byte 1"},
  };
  for (const auto& [name, why] : bad) {
    const absl::Status status = CheckPropertyName(name);
    EXPECT_THAT(status, StatusIsWith(kBad, HasSubstr(why)));
    EXPECT_THAT(status, HasReason("PROPERTY_NAME_INVALID"));
    EXPECT_LT(status.message().size(), 500u);
  }
}

TEST(CheckPropertyValueTest, SaysWhatIsWrongWhere) {
  SKERRY_EXPECT_OK(CheckPropertyValue("temp", "expected", ""));
  SKERRY_EXPECT_OK(CheckPropertyValue("temp", "expected", std::string(512, '9')));
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"2 0", R"(property "temp": its expected value has U+0020 at byte 2: use 1 to 512 of)"},
      {"{}", "has '{' at byte 1"},
      {"1\n", "has U+000A at byte 2"},
      {"20\u00B0", "has U+00B0 at byte 3"},
      {std::string(513, '9'), "has 513 bytes"},
      {std::string(600, '9') + " ", "has 601 bytes"},
  };
  for (const auto& [value, why] : bad) {
    const absl::Status status = CheckPropertyValue("temp", "expected", value);
    EXPECT_THAT(status, StatusIsWith(kBad, HasSubstr(why)));
    EXPECT_THAT(status, HasReason("PROPERTY_VALUE_INVALID"));
  }
  EXPECT_THAT(CheckPropertyValue("temp", "actual", "+1"),
              StatusIsWith(kBad, HasSubstr("its actual value has '+'")));
}

}  // namespace
}  // namespace skerry::eventbus
