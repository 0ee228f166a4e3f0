#include "services/lib/kubeapi/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::kubeapi {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIs;

TEST(ParseJsonTest, TakesOneValue) {
  EXPECT_THAT(ParseJson(R"( {"a":[1,"\u0000"]} )"), IsOk());
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{}{}"), std::string("{\"a\":\"\xff\"}")}) {
    EXPECT_THAT(ParseJson(text).status(), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
}

// The parser takes a raw NUL for the end of the text.
TEST(ParseJsonTest, RefusesWhatFollowsANul) {
  EXPECT_THAT(ParseJson(std::string("{}\0anything", 11)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseJson(std::string("{}\0", 3)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseJsonTest, HasABoundOfDepth) {
  EXPECT_THAT(ParseJson(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')), IsOk());
  EXPECT_THAT(ParseJson(std::string(100'000, '[')).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::kubeapi
