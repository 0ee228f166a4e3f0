#include "services/standalone-api-svc/scheduler/fit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::standaloneapi {
namespace {

using Json = nlohmann::json;

NodeInfo Ready(const std::string& name, int pods = 0) {
  NodeInfo node;
  node.name = name;
  node.labels = {{"kubernetes.io/hostname", name}, {"zone", "harbour"}, {"cores", "4"}};
  node.ready = true;
  node.pods = pods;
  return node;
}

Json Pod(const Json& spec) { return {{"spec", spec}}; }

Json Affinity(const Json& expression) {
  return Pod({{"affinity",
               {{"nodeAffinity",
                 {{"requiredDuringSchedulingIgnoredDuringExecution",
                   {{"nodeSelectorTerms", {{{"matchExpressions", {expression}}}}}}}}}}}});
}

TEST(PlaceTest, TakesTheEmptiestThenTheFirstByName) {
  EXPECT_EQ(Place(Pod({}), {Ready("c", 1), Ready("b", 0), Ready("a", 0)}).node, "a");
  EXPECT_EQ(Place(Pod({}), {Ready("c", 1), Ready("b", 3)}).node, "c");
}

TEST(PlaceTest, SaysWhyNoNodeFits) {
  NodeInfo down = Ready("down");
  down.ready = false;
  NodeInfo cordoned = Ready("cordoned");
  cordoned.unschedulable = true;
  EXPECT_EQ(Place(Pod({}), {down, cordoned, down}).message,
            "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) were not ready.");
  EXPECT_EQ(Place(Pod({}), {}).message, "no nodes available to schedule pods");
}

TEST(PlaceTest, HonoursNodeSelector) {
  EXPECT_EQ(Place(Pod({{"nodeSelector", {{"zone", "harbour"}}}}), {Ready("a")}).node, "a");
  Placement none = Place(Pod({{"nodeSelector", {{"zone", "hill"}}}}), {Ready("a")});
  EXPECT_EQ(none.node, "");
  EXPECT_EQ(none.message,
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
}

TEST(PlaceTest, HonoursEveryAffinityOperator) {
  struct Case {
    const char* key;
    const char* op;
    Json values;
    bool fits;
  };
  for (const Case& c : std::vector<Case>{{"zone", "In", {"hill", "harbour"}, true},
                                         {"zone", "In", {"hill"}, false},
                                         {"zone", "NotIn", {"hill"}, true},
                                         {"absent", "NotIn", {"x"}, true},
                                         {"zone", "Exists", nullptr, true},
                                         {"absent", "Exists", nullptr, false},
                                         {"absent", "DoesNotExist", nullptr, true},
                                         {"cores", "Gt", {"3"}, true},
                                         {"cores", "Lt", {"4"}, false},
                                         {"zone", "Gt", {"3"}, false},
                                         {"zone", "Like", {"harbour"}, false}}) {
    Json pod = Affinity({{"key", c.key}, {"operator", c.op}, {"values", c.values}});
    EXPECT_EQ(Place(pod, {Ready("a")}).node == "a", c.fits)
        << c.key << " " << c.op << " " << c.values;
  }
}

TEST(PlaceTest, MatchesNodeNameByField) {
  Json pod = Pod(
      {{"affinity",
        {{"nodeAffinity",
          {{"requiredDuringSchedulingIgnoredDuringExecution",
            {{"nodeSelectorTerms",
              {{{"matchFields",
                 {{{"key", "metadata.name"}, {"operator", "In"}, {"values", {"b"}}}}}}}}}}}}}}});
  EXPECT_EQ(Place(pod, {Ready("a"), Ready("b", 9)}).node, "b");
}

TEST(PlaceTest, HonoursTaintsAndTolerations) {
  NodeInfo tainted = Ready("a");
  tainted.taints = {{"edge", "yes", "NoSchedule"}, {"slow", "", "PreferNoSchedule"}};
  EXPECT_EQ(Place(Pod({}), {tainted}).message,
            "0/1 nodes are available: 1 node(s) had untolerated taint {edge: yes}.");
  auto tolerating = [](Json toleration) {
    return Pod({{"tolerations", Json::array({std::move(toleration)})}});
  };
  EXPECT_EQ(Place(tolerating({{"operator", "Exists"}}), {tainted}).node, "a");
  EXPECT_EQ(Place(tolerating({{"key", "edge"}, {"value", "yes"}}), {tainted}).node, "a");
  EXPECT_EQ(Place(tolerating({{"key", "edge"}, {"value", "no"}}), {tainted}).node, "");
  EXPECT_EQ(Place(tolerating({{"key", "edge"}, {"operator", "Exists"}, {"effect", "NoExecute"}}),
                  {tainted})
                .node,
            "");
}

TEST(PlaceTest, FullNodeTakesNoMore) {
  NodeInfo full = Ready("a", 2);
  full.pods_max = 2;
  EXPECT_EQ(Place(Pod({}), {full}).message, "0/1 nodes are available: 1 Too many pods.");
}

TEST(ParseNodeTest, ReadsWhatCountsAndSurvivesNonsense) {
  NodeInfo node = ParseNode(Json::parse(R"({"metadata":{"name":"n","labels":{"a":"b","c":1}},
    "spec":{"unschedulable":true,"taints":[{"key":"k","effect":"NoSchedule"},7]},
    "status":{"allocatable":{"pods":"20"},"conditions":[{"type":"Ready","status":"True"}]}})"));
  EXPECT_EQ(node.name, "n");
  EXPECT_EQ(node.labels, (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_TRUE(node.ready);
  EXPECT_TRUE(node.unschedulable);
  EXPECT_EQ(node.pods_max, 20);
  EXPECT_EQ(node.taints.size(), 2u);
  for (const char* nonsense :
       {"[]", "7", R"({"metadata":[],"spec":{"taints":{"a":1}},"status":{"conditions":3}})"}) {
    EXPECT_FALSE(ParseNode(Json::parse(nonsense)).ready);
  }
  EXPECT_EQ(Place(Json::parse(R"({"spec":{"nodeSelector":3,"tolerations":"x","affinity":[]}})"),
                  {Ready("a")})
                .node,
            "a");
}

}  // namespace
}  // namespace skerry::standaloneapi
