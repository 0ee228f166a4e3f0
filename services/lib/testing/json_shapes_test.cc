#include "services/lib/testing/json_shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace skerry::testing {
namespace {

using nlohmann::json;
using ::testing::UnorderedElementsAre;

TEST(ForEachShapeTest, ChangesEveryValueToEveryKind) {
  const json document = {{"list", {1, {{"key", "x"}}}}};
  std::set<std::string> paths;
  std::set<int> kinds;  // Of the innermost value. json::value_t has an order of its own.
  const size_t values = ForEachShape(document, [&](const json& changed, const std::string& path) {
    paths.insert(path);
    if (path == "/list/1/key") kinds.insert(static_cast<int>(changed["list"][1]["key"].type()));
  });
  EXPECT_THAT(paths, UnorderedElementsAre("", "/list", "/list/0", "/list/1", "/list/1/key"));
  EXPECT_EQ(values, 5u);
  EXPECT_EQ(kinds.size(), 10u);  // All that there are.
}

}  // namespace
}  // namespace skerry::testing
