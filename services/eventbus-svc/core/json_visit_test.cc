#include "services/eventbus-svc/core/json_visit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Line(const JsonPath& path, const JsonValue& value) {
  const std::string at = absl::StrCat("/", absl::StrJoin(path, "/"), " ");
  switch (value.kind) {
    case JsonKind::kNull:
      return at + "null";
    case JsonKind::kBool:
      return at + (value.boolean ? "true" : "false");
    case JsonKind::kNumber:
      return at + "number";
    case JsonKind::kString:
      return absl::StrCat(at, "'", value.text, "'");
    case JsonKind::kObject:
      return at + "object";
    case JsonKind::kList:
      return at + "list";
  }
  return at;
}

struct Seen {
  std::vector<std::string> lines;
  absl::Status status;
};

Seen Visit(absl::string_view text, size_t depth_max = 8) {
  Seen seen;
  seen.status = VisitJson(text, depth_max, [&](const JsonPath& path, const JsonValue& value) {
    seen.lines.push_back(Line(path, value));
  });
  return seen;
}

std::string Repeated(absl::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) absl::StrAppend(&out, text);
  return out;
}

TEST(VisitJsonTest, ShowsValuesWithTheirPaths) {
  const Seen seen =
      Visit(R"( {"a":{"b":"x","c":{}},"d":null,"e":true,"f":-1,"g":2,"h":1.5,"":"\u00e9\n"} )");
  SKERRY_EXPECT_OK(seen.status);
  EXPECT_THAT(seen.lines,
              ElementsAre("/ object", "/a object", "/a/b 'x'", "/a/c object", "/d null", "/e true",
                          "/f number", "/g number", "/h number", "/ '\u00E9\n'"));
}

TEST(VisitJsonTest, ShowsListsButNotWhatIsInThem) {
  const Seen seen = Visit(R"({"a":[1,"x",{"b":{"c":[]}},[null]],"d":{"e":1}})");
  SKERRY_EXPECT_OK(seen.status);
  EXPECT_THAT(seen.lines, ElementsAre("/ object", "/a list", "/d object", "/d/e number"));
}

TEST(VisitJsonTest, ShowsRepeatedMembersEachTime) {
  EXPECT_THAT(Visit(R"({"a":1,"a":"x"})").lines, ElementsAre("/ object", "/a number", "/a 'x'"));
}

TEST(VisitJsonTest, TakesAnyValueAtTheTop) {
  EXPECT_THAT(Visit("null").lines, ElementsAre("/ null"));
  EXPECT_THAT(Visit("[1,2]").lines, ElementsAre("/ list"));
  EXPECT_THAT(Visit("\"x\"").lines, ElementsAre("/ 'x'"));
}

TEST(VisitJsonTest, RefusesWhatIsNotJson) {
  for (const std::string& bad : std::vector<std::string>{"",
                                                         " ",
                                                         "{",
                                                         "}",
                                                         "{]",
                                                         "{\"a\"}",
                                                         "{\"a\":}",
                                                         "{\"a\":1,}",
                                                         "{\"a\":1}x",
                                                         "{} {}",
                                                         "[1",
                                                         "[1,]",
                                                         "nul",
                                                         "'a'",
                                                         "{a:1}",
                                                         "\"\x01\"",
                                                         "\"\\x\"",
                                                         "\"\\ud800\"",
                                                         "\"\xFF\"",
                                                         "\"\xC0\xAF\"",
                                                         "01",
                                                         "1e",
                                                         "NaN",
                                                         "1e999",
                                                         "// x\n1",
                                                         std::string("{}\0", 3),
                                                         std::string("{}\0,", 4)}) {
    EXPECT_THAT(Visit(bad).status, HasReason("JSON_INVALID")) << ::testing::PrintToString(bad);
  }
  EXPECT_THAT(Visit(absl::string_view()).status, HasReason("JSON_INVALID"));
  EXPECT_THAT(Visit("{\"a\":}").status,
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("at byte 6")));
}

TEST(VisitJsonTest, KeepsWhatItSawBeforeTheFault) {
  EXPECT_THAT(Visit(R"({"a":"x","b":)").lines, ElementsAre("/ object", "/a 'x'"));
  EXPECT_THAT(Visit("").lines, IsEmpty());
}

TEST(VisitJsonTest, StopsAtTheDepth) {
  SKERRY_EXPECT_OK(Visit("[[[]]]", 3).status);
  EXPECT_THAT(Visit("[[[[]]]]", 3).status, HasReason("JSON_TOO_DEEP"));
  SKERRY_EXPECT_OK(Visit(R"({"a":{"b":{}}})", 3).status);
  EXPECT_THAT(Visit(R"({"a":{"b":{"c":{}}}})", 3).status, HasReason("JSON_TOO_DEEP"));
  EXPECT_THAT(Visit(R"({"a":[{"b":[]}]})", 3).status, HasReason("JSON_TOO_DEEP"));
  // A sibling is no level.
  SKERRY_EXPECT_OK(Visit(R"({"a":[[],[],{},{}],"b":{},"c":{"d":{}}})", 3).status);
}

absl::Status Walk(absl::string_view text, size_t depth_max) {
  return VisitJson(text, depth_max, [](const JsonPath&, const JsonValue&) {});
}

TEST(VisitJsonTest, DoesNotRecurse) {
  for (const char* open : {"[", "{\"a\":", "[{\"a\":"}) {
    EXPECT_THAT(Walk(Repeated(open, 100000), 8), HasReason("JSON_TOO_DEEP"));
    // Nor where it is let through: the parser's own state is one bit a level.
    EXPECT_THAT(Walk(Repeated(open, 100000), 1000000), HasReason("JSON_INVALID"));
  }
  SKERRY_EXPECT_OK(Walk(Repeated("[", 100000) + Repeated("]", 100000), 1000000));
}

}  // namespace
}  // namespace skerry::eventbus
