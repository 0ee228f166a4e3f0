#include "tools/skerryctl/output.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace skerry::skerryctl {
namespace {

std::string NoText() { return "text"; }

TEST(OutputTest, TablesAreText) {
  for (const Format format : {Format::kTable, Format::kWide, Format::kName})
    EXPECT_EQ(Render(format, nlohmann::json::object(), NoText), "text");
}

TEST(OutputTest, Yaml) {
  const nlohmann::json value = {{"name", "pump-1"},
                                {"count", 3},
                                {"ready", true},
                                {"none", nullptr},
                                {"list", {"a", {{"b", 1.5}}}},
                                {"empty", nlohmann::json::array()},
                                {"map", nlohmann::json::object()}};
  EXPECT_EQ(Render(Format::kYaml, value, NoText),
            "count: 3\n"
            "empty: []\n"
            "list:\n"
            "  - a\n"
            "  - b: 1.5\n"
            "map: {}\n"
            "name: pump-1\n"
            "none: ~\n"
            "ready: true\n");
}

// A text stays a text, whatever it looks like.
TEST(OutputTest, YamlDoesNotChangeTypes) {
  for (const std::string text :
       {"",     "1",          "1e3",      "0x10", "true", "No",   "on",   "y",  "null",
        "~",    "2026-11-27", "12:30:45", "-",    "a: b", "a #b", "\"",   "'",  "*x",
        "&x",   "!x",         "%x",       "@x",   "{",    "[",    "a\nb", " a", "a ",
        "Grün", "=",          "<<",       ".inf", "|",    ">",    "a\tb"}) {
    const std::string yaml = Render(Format::kYaml, {{"k", text}}, NoText);
    EXPECT_EQ(YAML::Load(yaml)["k"].as<std::string>(), text) << yaml;
    const bool quoted = absl::StrContains(yaml, '"');
    EXPECT_TRUE(quoted) << yaml;
  }
}

TEST(OutputTest, NothingDrivesTheTerminal) {
  const std::string bad = "a\x1b[2J\x7f\xc2\x9b\xff";
  for (const Format format : {Format::kJson, Format::kYaml}) {
    const std::string out = Render(format, {{bad, bad}}, NoText);
    for (const char* control : {"\x1b", "\x7f", "\xc2\x9b", "\xff"})
      EXPECT_FALSE(absl::StrContains(out, control)) << out;
  }
  EXPECT_EQ(nlohmann::json::parse(Render(Format::kJson, {{"k", "\xc2\x9b"}}, NoText))["k"],
            "\xc2\x9b");
}

}  // namespace
}  // namespace skerry::skerryctl
