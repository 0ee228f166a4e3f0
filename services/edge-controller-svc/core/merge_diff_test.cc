#include "services/edge-controller-svc/core/merge_diff.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::edgecontroller {
namespace {

using nlohmann::json;

struct Case {
  const char* from;
  const char* to;
  const char* patch;
};

TEST(MergeDiffTest, TurnsOneIntoTheOther) {
  const Case cases[] = {
      {R"({})", R"({})", R"({})"},
      {R"({"a":1})", R"({"a":1})", R"({})"},
      {R"({"a":1})", R"({"a":2})", R"({"a":2})"},
      {R"({"a":1})", R"({})", R"({"a":null})"},
      {R"({})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
      {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":3}})", R"({"a":{"c":3}})"},
      {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1}})", R"({"a":{"c":null}})"},
      {R"({"a":[1,2]})", R"({"a":[1,3]})", R"({"a":[1,3]})"},
      {R"({"a":{"b":1}})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"a":[1]})", R"({"a":{"b":1}})", R"({"a":{"b":1}})"},
      {R"({"a":null})", R"({"a":null})", R"({})"},
      {R"({"a":1})", R"({"a":null})", R"({"a":null})"},
  };
  for (const Case& c : cases) {
    json from = json::parse(c.from);
    const json to = json::parse(c.to);
    const json patch = MergeDiff(from, to);
    EXPECT_EQ(patch, json::parse(c.patch)) << c.from << " -> " << c.to;
    from.merge_patch(patch);
    EXPECT_TRUE(MergeDiff(from, to).empty()) << c.from << " -> " << c.to;
  }
}

}  // namespace
}  // namespace skerry::edgecontroller
