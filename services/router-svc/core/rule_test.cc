#include "services/router-svc/core/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Endpoint kRest{.type = EndpointType::kRest};
const Endpoint kEventBus{.type = EndpointType::kEventBus};
const Endpoint kService{.type = EndpointType::kServiceBus,
                        .properties = {{"service_port", "8080"}}};

using Resource = std::map<std::string, std::string>;

absl::StatusOr<Route> Make(const Endpoint* source, const Resource& from, const Endpoint* target,
                           const Resource& to) {
  return Resolve({.name = "plant/r",
                  .uid = "u",
                  .source = "s",
                  .target = "t",
                  .source_resource = from,
                  .target_resource = to},
                 source, target);
}

// [rt-1.1]
TEST(RuleTest, ReadsEveryKind) {
  auto route = Make(&kRest, {{"path", "/a/{id}/b/"}}, &kEventBus, {{"topic", "cmd/led"}});
  SKERRY_ASSERT_OK(route);
  EXPECT_THAT(route->path, ElementsAre("a", "{id}", "b"));
  EXPECT_EQ(route->topic, "cmd/led");
  EXPECT_EQ(route->rule, "plant/r");
  route = Make(&kRest, {{"path", "/"}}, &kService, {{"path", "echo/"}});
  SKERRY_ASSERT_OK(route);
  EXPECT_TRUE(route->path.empty());
  EXPECT_EQ(route->service_url, "http://127.0.0.1:8080/echo/");
  route = Make(&kEventBus, {{"topic", "alarms/+"}, {"node_name", "edge-1"}}, &kRest,
               {{"resource", "http://shop/in"}});
  SKERRY_ASSERT_OK(route);
  EXPECT_EQ(route->topic_filter, "plant/alarms/+");
  EXPECT_EQ(route->node, "edge-1");
  EXPECT_EQ(route->url, "http://shop:80/in");
  route = Make(&kService, {{"target_url", "http://a/b"}, {"node_name", "edge-1"}}, &kRest,
               {{"resource", "https://shop/in?x=1"}});
  SKERRY_ASSERT_OK(route);
  EXPECT_EQ(route->source_url, "http://a/b");
  EXPECT_EQ(route->url, "https://shop:443/in?x=1");
}

// [rt-1.2]
TEST(RuleTest, NamesWhatIsWrong) {
  const Endpoint no_port{.type = EndpointType::kServiceBus};
  const Endpoint bad_port{.type = EndpointType::kServiceBus, .properties = {{"service_port", "0"}}};
  const Resource node_topic = {{"topic", "a"}, {"node_name", "edge-1"}};
  struct Case {
    const char* field;
    const Endpoint* source;
    Resource from;
    const Endpoint* target;
    Resource to;
  };
  for (const Case& c : std::vector<Case>{
           {"spec.target", &kRest, {{"path", "a"}}, &kRest, {{"resource", "http://a/"}}},
           {"spec.target", &kEventBus, node_topic, &kService, {{"path", "/a"}}},
           {"spec.sourceResource.path", &kRest, {}, &kEventBus, {{"topic", "t"}}},
           {"spec.sourceResource.path", &kRest, {{"path", "a//b"}}, &kEventBus, {{"topic", "t"}}},
           {"spec.sourceResource.path", &kRest, {{"path", "a/../b"}}, &kEventBus, {{"topic", "t"}}},
           {"spec.sourceResource.path", &kRest, {{"path", "a{x}"}}, &kEventBus, {{"topic", "t"}}},
           {"spec.sourceResource.path", &kRest, {{"path", "{}"}}, &kEventBus, {{"topic", "t"}}},
           {"spec.sourceResource.path", &kRest, {{"path", "a?b"}}, &kEventBus, {{"topic", "t"}}},
           {"spec.targetResource.topic", &kRest, {{"path", "a"}}, &kEventBus, {}},
           {"spec.targetResource.topic", &kRest, {{"path", "a"}}, &kEventBus, {{"topic", "a/#"}}},
           {"spec.targetResource.path", &kRest, {{"path", "a"}}, &kService, {}},
           {"spec.targetResource.path", &kRest, {{"path", "a"}}, &kService, {{"path", "/a/../b"}}},
           {"spec.targetResource.path", &kRest, {{"path", "a"}}, &kService, {{"path", "/a?b"}}},
           {"service_port", &kRest, {{"path", "a"}}, &no_port, {{"path", "/a"}}},
           {"service_port", &kRest, {{"path", "a"}}, &bad_port, {{"path", "/a"}}},
           {"spec.sourceResource.node_name",
            &kEventBus,
            {{"topic", "a"}},
            &kRest,
            {{"resource", "http://a/"}}},
           {"spec.sourceResource.node_name",
            &kEventBus,
            {{"topic", "a"}, {"node_name", "A B"}},
            &kRest,
            {{"resource", "http://a/"}}},
           {"spec.sourceResource.topic",
            &kEventBus,
            {{"node_name", "n"}},
            &kRest,
            {{"resource", "http://a/"}}},
           {"spec.sourceResource.topic",
            &kEventBus,
            {{"topic", "a/#/b"}, {"node_name", "n"}},
            &kRest,
            {{"resource", "http://a/"}}},
           {"spec.targetResource.resource", &kEventBus, node_topic, &kRest, {}},
           {"spec.targetResource.resource", &kEventBus, node_topic, &kRest, {{"resource", "shop"}}},
           {"spec.sourceResource.target_url",
            &kService,
            {{"node_name", "n"}},
            &kRest,
            {{"resource", "http://a/"}}},
           {"spec.sourceResource.target_url",
            &kService,
            {{"node_name", "n"}, {"target_url", "x"}},
            &kRest,
            {{"resource", "http://a/"}}}}) {
    const auto route = Make(c.source, c.from, c.target, c.to);
    EXPECT_THAT(route, StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(c.field)));
    EXPECT_THAT(route, HasReason("RULE_INVALID")) << c.field;
  }
}

TEST(RuleTest, NamesAnEndpointThatIsNotThere) {
  EXPECT_THAT(Make(nullptr, {}, &kRest, {}), HasReason("RULE_ENDPOINT_MISSING"));
  const auto route = Make(&kRest, {}, nullptr, {});
  EXPECT_THAT(route, StatusIsWith(absl::StatusCode::kFailedPrecondition, HasSubstr("spec.target")));
}

TEST(RuleTest, KnowsTheTypesOfEndpoints) {
  EXPECT_EQ(*ParseEndpointType("rest"), EndpointType::kRest);
  EXPECT_EQ(*ParseEndpointType("eventbus"), EndpointType::kEventBus);
  EXPECT_EQ(*ParseEndpointType("servicebus"), EndpointType::kServiceBus);
  EXPECT_THAT(ParseEndpointType("Rest"), HasReason("RULE_ENDPOINT_INVALID"));
}

}  // namespace
}  // namespace skerry::router
