#include "services/lib/json/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Pair;
using ::testing::StartsWith;
using testing::StatusIs;

class JsonReaderTest : public ::testing::Test {
 protected:
  JsonReader Read(const std::string& text) {
    document_ = nlohmann::json::parse(text);
    status_ = absl::OkStatus();
    return JsonReader(document_, "FILE_INVALID", status_);
  }
  std::string Message() const { return std::string(status_.message()); }

  nlohmann::json document_;
  absl::Status status_;
};

TEST_F(JsonReaderTest, ReadsWhatIsThere) {
  const JsonReader json = Read(
      R"({"s": "x", "b": true, "i": -5, "l": ["a", "b"], "m": {"k": "v"}, "o": {"s": "deep"},
          "e": [{"s": "first"}, {"s": "second"}]})");
  EXPECT_EQ(json.Str("s"), "x");
  EXPECT_EQ(json.RequiredStr("s"), "x");
  EXPECT_TRUE(json.Bool("b"));
  EXPECT_EQ(json.Int32("i"), -5);
  EXPECT_EQ(json.Int64("i"), -5);
  EXPECT_THAT(json.Strings("l"), ElementsAre("a", "b"));
  EXPECT_THAT(json.StringMap("m"), ElementsAre(Pair("k", "v")));
  EXPECT_EQ(json.Object("o").Str("s"), "deep");
  std::vector<std::string> items;
  json.Each("e", [&](const JsonReader& item) { items.push_back(item.Str("s")); });
  EXPECT_THAT(items, ElementsAre("first", "second"));
  EXPECT_THAT(status_, IsOk());
}

TEST_F(JsonReaderTest, ReadsDefaultsWhereNothingOrNullIs) {
  const JsonReader json = Read(R"({"null": null})");
  for (const char* name : {"null", "absent"}) {
    EXPECT_EQ(json.Str(name), "");
    EXPECT_FALSE(json.Bool(name));
    EXPECT_EQ(json.Int32(name), 0);
    EXPECT_EQ(json.Int64(name), 0);
    EXPECT_THAT(json.Strings(name), IsEmpty());
    EXPECT_THAT(json.StringMap(name), IsEmpty());
    EXPECT_FALSE(json.Object(name).present());
    EXPECT_EQ(json.Object(name).Object("deeper").Str("s"), "");
    json.Each(name, [](const JsonReader&) { ADD_FAILURE(); });
  }
  EXPECT_THAT(status_, IsOk());
}

TEST_F(JsonReaderTest, NamesFieldKindAndWhatItShouldBe) {
  Read(R"({"spec": {"list": [{}, {"value": 3}]}})")
      .Object("spec")
      .Each("list", [](const JsonReader& item) { item.Str("value"); });
  EXPECT_THAT(status_, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(status_, HasReason("FILE_INVALID"));
  EXPECT_EQ(Message(), "spec.list[1].value is a number, must be a string");
  EXPECT_EQ(GetErrorInfo(status_).metadata["field"], "spec.list[1].value");
  EXPECT_EQ(GetErrorInfo(status_).metadata["kind"], "a number");
}

TEST_F(JsonReaderTest, KeepsTheFirstError) {
  const JsonReader json = Read(R"({"a": 1, "b": 2})");
  json.Str("a");
  json.Str("b");
  EXPECT_THAT(Message(), StartsWith("a is"));
}

TEST_F(JsonReaderTest, RefusesEveryOtherKind) {
  const std::string text =
      R"({"null": null, "s": "1", "b": true, "i": 1, "f": 1.5, "l": [1], "o": {"x": 1}})";
  const auto message_of = [&](auto read) {
    read(Read(text));
    return Message();
  };
  for (const char* name : {"b", "i", "f", "l", "o"}) {
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Str(name); }), "") << name;
  }
  for (const char* name : {"s", "i", "f", "l", "o"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Bool(name); }), "") << name;
  for (const char* name : {"s", "b", "f", "l", "o"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Int64(name); }), "") << name;
  for (const char* name : {"s", "b", "i", "f", "l", "o"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Strings(name); }), "") << name;
  for (const char* name : {"s", "b", "i", "f", "l", "o"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.StringMap(name); }), "") << name;
  for (const char* name : {"s", "b", "i", "f", "l"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Object(name); }), "") << name;
  for (const char* name : {"s", "b", "i", "f", "l", "o"})
    EXPECT_NE(message_of([&](const JsonReader& j) { j.Each(name, [](const JsonReader&) {}); }), "")
        << name;
}

TEST_F(JsonReaderTest, NamesTheItemOfAList) {
  Read(R"({"names": ["a", null]})").Strings("names");
  EXPECT_EQ(Message(), "names[1] is null, must be a string");
}

TEST_F(JsonReaderTest, NamesTheKeyOfAMap) {
  Read(R"({"metadata": {"type": 3}})").StringMap("metadata");
  EXPECT_EQ(Message(), "metadata.type is a number, must be a string");
}

TEST_F(JsonReaderTest, RefusesAnEmptyRequiredString) {
  for (const char* text : {"{}", R"({"name": null})", R"({"name": ""})"}) {
    Read(text).RequiredStr("name");
    EXPECT_EQ(Message(), "name is missing or empty, must be a string that is not empty") << text;
  }
  Read(R"({"name": 7})").RequiredStr("name");
  EXPECT_EQ(Message(), "name is a number, must be a string");
}

TEST_F(JsonReaderTest, BoundsIntegers) {
  EXPECT_EQ(Read(R"({"i": 2147483647})").Int32("i"), 2147483647);
  EXPECT_EQ(Read(R"({"i": -2147483648})").Int32("i"), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(Read(R"({"i": 9223372036854775807})").Int64("i"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Read(R"({"i": -9223372036854775808})").Int64("i"), std::numeric_limits<int64_t>::min());
  EXPECT_THAT(status_, IsOk());
  Read(R"({"i": 2147483648})").Int32("i");
  EXPECT_EQ(Message(),
            "i is a number, must be an integer from -2147483648 to 2147483647, without quotes");
  Read(R"({"i": -2147483649})").Int32("i");
  EXPECT_NE(Message(), "");
  Read(R"({"i": 9223372036854775808})").Int64("i");
  EXPECT_NE(Message(), "");
  Read(R"({"i": 18446744073709551615})").Int64("i");
  EXPECT_NE(Message(), "");
}

TEST_F(JsonReaderTest, RefusesADocumentThatIsNoObject) {
  for (const char* text : {"null", "[]", "3", "\"x\"", "true"}) {
    EXPECT_FALSE(Read(text).present()) << text;
    EXPECT_THAT(Message(), StartsWith("the document is ")) << text;
  }
}

TEST_F(JsonReaderTest, ShowsKeysShortAndPrintable) {
  const JsonReader json = Read(R"({"line\nbreak": 1})");
  json.Refuse("line\nbreak", ", wrong");
  EXPECT_EQ(Message(), "line\\nbreak is a number, wrong");
  Read("{}").Refuse(std::string(10000, 'k'), ", wrong");
  EXPECT_LT(Message().size(), 200u);
}

}  // namespace
}  // namespace skerry
