#include "services/router-svc/core/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Route Rest(const std::string& rule, std::vector<std::string> path) {
  return {.rule = rule,
          .source = EndpointType::kRest,
          .target = EndpointType::kEventBus,
          .path = std::move(path),
          .topic = "t",
          .service_url = "http://127.0.0.1:80/s"};
}

// Which rule, and what is appended.
std::string Find(const RouteTable& table, const std::string& target) {
  const auto parsed = ParseRestTarget(target);
  if (!parsed.ok()) return "invalid";
  const RestMatch match = table.FindRest(*parsed);
  if (match.route == nullptr) return "none";
  std::string text = match.route->rule;
  for (const std::string& segment : match.rest) text += " " + segment;
  return text;
}

// [rt-2.1]
TEST(RouteTableTest, FindsTheMostSpecificRule) {
  const RouteTable table({Rest("ns/a", {"a"}), Rest("ns/ab", {"a", "b"}),
                          Rest("ns/a-any", {"a", "{x}"}), Rest("ns/long", {"a", "{x}", "c"}),
                          Rest("other/all", {})});
  struct Case {
    const char* target;
    const char* found;
  };
  for (const Case& c :
       {Case{"/n/ns/a", "ns/a"}, Case{"/n/ns/a/", "ns/a"}, Case{"/n/ns/a/b", "ns/ab"},
        Case{"/n/ns/a/b/d/e?q=1", "ns/ab d e"},
        // With a {name}, KubeEdge appends the whole path.
        Case{"/n/ns/a/z", "ns/a-any a z"}, Case{"/n/ns/a/b/c", "ns/long a b c"},
        Case{"/n/ns/ab", "none"}, Case{"/n/ns", "none"}, Case{"/n/other", "other/all"},
        Case{"/n/other/x/y", "other/all x y"}, Case{"/n/nobody/a", "none"}, Case{"/n", "invalid"},
        Case{"/", "invalid"}, Case{"n/ns/a", "invalid"}, Case{"/n/ns/../a", "invalid"}}) {
    EXPECT_EQ(Find(table, c.target), c.found) << c.target;
  }
}

TEST(RouteTableTest, MakesTopicsAndUrls) {
  const RouteTable table({Rest("ns/a", {"a"})});
  const RestTarget target = *ParseRestTarget("/n/ns/a/x%20y/z?q=1");
  const RestMatch match = table.FindRest(target);
  EXPECT_EQ(*TopicOf(match), "t/x y/z");
  EXPECT_EQ(*ServiceUrlOf(match, target), "http://127.0.0.1:80/s/x%20y/z?q=1");
  const RestTarget wild = *ParseRestTarget("/n/ns/a/%23");
  EXPECT_THAT(TopicOf(table.FindRest(wild)), HasReason("TOPIC_INVALID"));
  const RestTarget plus = *ParseRestTarget("/n/ns/a/+");
  EXPECT_THAT(TopicOf(table.FindRest(plus)), HasReason("TOPIC_INVALID"));
  const RestTarget bare = *ParseRestTarget("/n/ns/a");
  EXPECT_EQ(*TopicOf(table.FindRest(bare)), "t");
  EXPECT_EQ(*ServiceUrlOf(table.FindRest(bare), bare), "http://127.0.0.1:80/s");
}

TEST(RouteTableTest, FindsRulesOfMessagesOfNodes) {
  const RouteTable table(
      {{.rule = "ns/1", .source = EndpointType::kEventBus, .node = "e1", .topic_filter = "ns/a"},
       {.rule = "ns/2", .source = EndpointType::kEventBus, .node = "e1", .topic_filter = "ns/+"},
       {.rule = "ns/3", .source = EndpointType::kEventBus, .node = "e2", .topic_filter = "ns/a"},
       {.rule = "ns/4",
        .source = EndpointType::kServiceBus,
        .node = "e1",
        .source_url = "http://a"}});
  const auto names = [](const std::vector<const Route*>& routes) {
    std::vector<std::string> rules;
    for (const Route* route : routes) rules.push_back(route->rule);
    return rules;
  };
  EXPECT_THAT(names(table.OfTopic("e1", "ns/a")), ElementsAre("ns/1", "ns/2"));
  EXPECT_THAT(names(table.OfTopic("e1", "ns/b")), ElementsAre("ns/2"));
  EXPECT_THAT(names(table.OfTopic("e3", "ns/a")), IsEmpty());
  EXPECT_THAT(names(table.OfPost("e1", "http://a")), ElementsAre("ns/4"));
  EXPECT_THAT(names(table.OfPost("e2", "http://a")), IsEmpty());
  EXPECT_EQ(table.Find("ns/3")->node, "e2");
  EXPECT_EQ(table.Find("ns/9"), nullptr);
}

}  // namespace
}  // namespace skerry::router
