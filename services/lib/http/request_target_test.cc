#include "services/lib/http/request_target.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::http {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ParseRequestTargetTest, DecodesPathAndQuery) {
  const auto target = ParseRequestTarget(
      "/api/v1/na%6Despaces/a+b?labelSelector=app%3Dx%2Cy&q=a+b&watch&=v&&x=1=2");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/api/v1/namespaces/a+b");
  EXPECT_EQ(
      target->query,
      (Query{{"labelSelector", "app=x,y"}, {"q", "a b"}, {"watch", ""}, {"", "v"}, {"x", "1=2"}}));
}

TEST(ParseRequestTargetTest, DropsTheFragment) {
  const auto target = ParseRequestTarget("/a?b=c#d");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->query, (Query{{"b", "c"}}));
}

TEST(ParseRequestTargetTest, RefusesMalformedTargets) {
  for (const char* bad :
       {"", "*", "api", "http://host/a", "/%", "/%4", "/%zz", "/a?x=%f", "/%00", "/a?b=%00"}) {
    EXPECT_FALSE(ParseRequestTarget(bad).ok()) << bad;
  }
}

TEST(ParseRequestTargetTest, BoundsTheNumberOfParameters) {
  std::string target = "/?";
  for (int i = 0; i < 256; ++i) absl::StrAppend(&target, "a=b&");
  EXPECT_TRUE(ParseRequestTarget(target).ok());
  EXPECT_FALSE(ParseRequestTarget(absl::StrCat(target, "c=d")).ok());
}

}  // namespace
}  // namespace skerry::http
