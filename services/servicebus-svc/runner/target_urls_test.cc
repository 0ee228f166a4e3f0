#include "services/servicebus-svc/runner/target_urls.h"

#include <gtest/gtest.h>

#include <string>

#include "services/lib/metrics/registry.h"

namespace skerry::servicebus {
namespace {

// [sb-2.2]
TEST(TargetUrlsTest, FollowsTheRulesOfTheBox) {
  metrics::Registry registry{"servicebus-svc"};
  ServiceBusMetrics metrics{registry};
  TargetUrls targets({"http://fixed/"}, metrics);
  EXPECT_TRUE(targets.Has("http://fixed/"));
  EXPECT_FALSE(targets.Has("http://shop/"));
  EXPECT_FALSE(targets.Has(""));
  const std::string rule =
      R"({"spec":{"sourceResource":{"target_url":"http://shop/","node_name":"edge-1"}}})";
  targets.OnObject(kRules, "ns/a", rule);
  targets.OnObject(kRules, "ns/b", rule);
  EXPECT_TRUE(targets.Has("http://shop/"));
  targets.OnObjectDeleted(kRules, "ns/a");
  EXPECT_TRUE(targets.Has("http://shop/"));
  targets.OnObject(kRules, "ns/b", R"({"spec":{"sourceResource":{"target_url":"http://other/"}}})");
  EXPECT_FALSE(targets.Has("http://shop/"));
  EXPECT_TRUE(targets.Has("http://other/"));
  EXPECT_EQ(metrics.target_urls.Value(), 2);
  for (const char* none :
       {"", "x", "[]", R"({"spec":7})", R"({"spec":{"sourceResource":{"topic":"t"}}})",
        R"({"spec":{"sourceResource":{"target_url":7}}})"}) {
    targets.OnObject(kRules, "ns/b", none);
    EXPECT_FALSE(targets.Has("http://other/")) << none;
    EXPECT_FALSE(targets.Has("")) << none;
  }
}

}  // namespace
}  // namespace skerry::servicebus
