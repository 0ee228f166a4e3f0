#include "services/edge-controller-svc/core/node_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::edgecontroller {
namespace {

using nlohmann::json;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

json Node(const std::string& status = "{}") {
  json node = json::parse(R"({"metadata":{"name":"n1","uid":"u1","resourceVersion":"7",
                              "labels":{"node-role.kubernetes.io/edge":"","mine":"x"}}})");
  node["status"] = json::parse(status);
  return node;
}

json Patched(json node, const std::string& patch) {
  EXPECT_NE(patch, "");
  if (!patch.empty()) node.merge_patch(json::parse(patch));
  return node;
}

TEST(NewNodeTest, HasTheEdgeRoleAndThePlatformLabels) {
  const json status =
      json::parse(R"({"nodeInfo":{"architecture":"arm64","operatingSystem":"linux"}})");
  const json node = json::parse(NewNode("n1", {.labels = {{"zone", "north"}}}, status));
  EXPECT_EQ(node["kind"], "Node");
  EXPECT_EQ(node["metadata"]["name"], "n1");
  EXPECT_EQ(
      node["metadata"]["labels"],
      json::parse(
          R"({"kubernetes.io/arch":"arm64","kubernetes.io/hostname":"n1","kubernetes.io/os":"linux",
                            "node-role.kubernetes.io/edge":"","zone":"north"})"));
}

TEST(NewNodeTest, NodeCannotChooseItsRoleOrHostname) {
  const json node =
      json::parse(NewNode("n1",
                          {.labels = {{"node-role.kubernetes.io/control-plane", ""},
                                      {"node-restriction.kubernetes.io/secure", "yes"},
                                      {"kubernetes.io/hostname", "other"}}},
                          json::object()));
  EXPECT_EQ(node["metadata"]["labels"],
            json::parse(R"({"kubernetes.io/hostname":"n1","node-role.kubernetes.io/edge":""})"));
}

TEST(NodeMaySetLabelTest, FollowsNodeRestriction) {
  for (const char* label :
       {"zone", "example.com/rack", "kubernetes.io/arch", "node.kubernetes.io/instance-type",
        "sub.node.kubernetes.io/x", "topology.kubernetes.io/zone", "kubelet.kubernetes.io/y"}) {
    EXPECT_TRUE(NodeMaySetLabel(label)) << label;
  }
  for (const char* label :
       {"node-role.kubernetes.io/master", "node-restriction.kubernetes.io/a", "kubernetes.io/other",
        "k8s.io/a", "x.k8s.io/a", "topology.kubernetes.io/other"}) {
    EXPECT_FALSE(NodeMaySetLabel(label)) << label;
  }
}

TEST(PlanNodeLabelsTest, AddsOwnAndKeepsOthers) {
  const json after =
      Patched(Node(), PlanNodeLabels(Node(), {.labels = {{"zone", "north"}}}, json::object()));
  EXPECT_EQ(after["metadata"]["labels"]["zone"], "north");
  EXPECT_EQ(after["metadata"]["labels"]["mine"], "x");
}

TEST(PlanNodeLabelsTest, NothingToDoIsEmpty) {
  json node = Node();
  node["metadata"]["labels"]["kubernetes.io/hostname"] = "n1";
  EXPECT_EQ(PlanNodeLabels(node, {}, json::object()), "");
}

TEST(PlanNodeStatusTest, WritesOnConditionOfTheVersion) {
  const std::string patch = PlanNodeStatus(Node(), json::parse(R"({"capacity":{"cpu":"2"}})"));
  EXPECT_EQ(json::parse(patch)["metadata"]["resourceVersion"], "7");
  EXPECT_EQ(Patched(Node(), patch)["status"]["capacity"]["cpu"], "2");
}

TEST(PlanNodeStatusTest, KeepsWhatOthersOwn) {
  const json node = Node(R"({"volumesAttached":[{"name":"v"}],
      "conditions":[{"type":"NetworkUnavailable","status":"False"},{"type":"Ready","status":"Unknown"}]})");
  const json after = Patched(
      node,
      PlanNodeStatus(node, json::parse(R"({"conditions":[{"type":"Ready","status":"True"}]})")));
  EXPECT_EQ(after["status"]["volumesAttached"][0]["name"], "v");
  EXPECT_EQ(
      after["status"]["conditions"],
      json::parse(
          R"([{"type":"NetworkUnavailable","status":"False"},{"type":"Ready","status":"True"}])"));
}

TEST(PlanNodeStatusTest, SameStatusIsEmpty) {
  const std::string status =
      R"({"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"T"}]})";
  EXPECT_EQ(PlanNodeStatus(Node(status), json::parse(status)), "");
}

TEST(PlanNodeLostTest, MarksWhatTheNodeSaidOfItself) {
  const json node = Node(R"({"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"H"},
      {"type":"DiskPressure","status":"False"},{"type":"NetworkUnavailable","status":"False"}]})");
  const json after = Patched(node, PlanNodeLost(node, kNow));
  const json& conditions = after["status"]["conditions"];
  EXPECT_EQ(conditions[0]["status"], "Unknown");
  EXPECT_EQ(conditions[0]["reason"], "NodeStatusUnknown");
  EXPECT_EQ(conditions[0]["lastHeartbeatTime"], "H");
  EXPECT_EQ(conditions[0]["lastTransitionTime"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(conditions[1]["status"], "Unknown");
  EXPECT_EQ(conditions[2]["status"], "False");
  EXPECT_TRUE(IsMarkedLost(after));
  EXPECT_EQ(PlanNodeLost(after, kNow), "");
}

TEST(PlanNodeLostTest, NodeThatNeverReportedGetsTheCondition) {
  EXPECT_TRUE(IsMarkedLost(Patched(Node(), PlanNodeLost(Node(), kNow))));
}

TEST(PlanNodeLostTest, ReportSetsItBack) {
  json node = Node(R"({"conditions":[{"type":"Ready","status":"True"}]})");
  node = Patched(node, PlanNodeLost(node, kNow));
  node = Patched(
      node,
      PlanNodeStatus(
          node,
          json::parse(
              R"({"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady"}]})")));
  EXPECT_FALSE(IsMarkedLost(node));
  EXPECT_EQ(node["status"]["conditions"][0]["reason"], "KubeletReady");
}

TEST(NodeDigestTest, LeavesOutWhatTheNodeReports) {
  json node = Node(R"({"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"1"}]})");
  const uint64_t digest = NodeDigest(node);
  node["metadata"]["resourceVersion"] = "8";
  node["status"]["conditions"][0]["lastHeartbeatTime"] = "2";
  EXPECT_EQ(NodeDigest(node), digest);
  node["status"]["conditions"][0]["status"] = "Unknown";
  EXPECT_NE(NodeDigest(node), digest) << "the node must learn that it counts as lost";
}

TEST(NodeDigestTest, CountsWhatOthersSet) {
  json node = Node();
  const uint64_t digest = NodeDigest(node);
  node["spec"]["unschedulable"] = true;
  EXPECT_NE(NodeDigest(node), digest);
}

TEST(RenewedLeaseTest, NewLeaseBelongsToTheNode) {
  const json lease = json::parse(RenewedLease(json(), "n1", "u1", absl::Seconds(40), kNow));
  EXPECT_EQ(lease["metadata"]["namespace"], "kube-node-lease");
  EXPECT_EQ(lease["metadata"]["ownerReferences"][0]["uid"], "u1");
  EXPECT_EQ(lease["spec"], json::parse(R"({"holderIdentity":"n1","leaseDurationSeconds":40,
                                           "renewTime":"2023-11-14T22:13:20.000000Z"})"));
}

TEST(RenewedLeaseTest, RenewalKeepsTheVersion) {
  const json current =
      json::parse(R"({"metadata":{"name":"n1","resourceVersion":"3"},"spec":{"renewTime":"old"}})");
  const json lease = json::parse(RenewedLease(current, "n1", "u1", absl::Seconds(40), kNow));
  EXPECT_EQ(lease["metadata"]["resourceVersion"], "3");
  EXPECT_EQ(lease["spec"]["renewTime"], "2023-11-14T22:13:20.000000Z");
}

TEST(ParseNodeStatusTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "1"}) {
    EXPECT_EQ(ParseNodeStatus({.status_json = text}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(KubeletEndpointTest, IsThePortAndTheHostnameOfTheNodeAndNothingElse) {
  const KubeletEndpoint endpoint{"controller.example", 10250};
  const json node = Node(R"({"phase":"x","addresses":[{"type":"InternalIP","address":"10.0.0.7"},
                             {"type":"Hostname","address":"n1"}]})");
  const json patched = Patched(node, PlanKubeletEndpoint(node, endpoint));
  EXPECT_EQ(patched["status"], json::parse(R"({"phase":"x",
      "addresses":[{"type":"Hostname","address":"controller.example"},
                   {"type":"InternalIP","address":"10.0.0.7"}],
      "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}})"));
  EXPECT_EQ(PlanKubeletEndpoint(patched, endpoint), "");
  EXPECT_NE(PlanKubeletEndpoint(patched, {"controller.example", 10251}), "");
}

// kubeadm's API servers look for an InternalIP first. A former leader's is no address of the
// node's.
TEST(KubeletEndpointTest, IsTheFirstInternalIpWhereThatIsAskedFor) {
  const json node = Node(R"({"addresses":[{"type":"InternalIP","address":"10.0.0.7"},
                             {"type":"Hostname","address":"n1"}]})");
  const json first =
      Patched(node, PlanKubeletEndpoint(node, {"10.1.0.1", 10250, /*internal_ip=*/true}));
  EXPECT_EQ(first["status"]["addresses"], json::parse(R"([
      {"type":"Hostname","address":"10.1.0.1"},{"type":"InternalIP","address":"10.1.0.1"},
      {"type":"InternalIP","address":"10.0.0.7"}])"));
  EXPECT_EQ(PlanKubeletEndpoint(first, {"10.1.0.1", 10250, true}), "");
  const json second = Patched(first, PlanKubeletEndpoint(first, {"10.1.0.2", 10250, true}));
  EXPECT_EQ(second["status"]["addresses"], json::parse(R"([
      {"type":"Hostname","address":"10.1.0.2"},{"type":"InternalIP","address":"10.1.0.2"},
      {"type":"InternalIP","address":"10.0.0.7"}])"));
  // It is no longer asked for.
  const json off = Patched(second, PlanKubeletEndpoint(second, {"10.1.0.3", 10250}));
  EXPECT_EQ(off["status"]["addresses"], json::parse(R"([
      {"type":"Hostname","address":"10.1.0.3"},{"type":"InternalIP","address":"10.0.0.7"}])"));
  // The node is on the leader's own machine: the address is there once.
  const json same = Patched(node, PlanKubeletEndpoint(node, {"10.0.0.7", 10250, true}));
  EXPECT_EQ(same["status"]["addresses"], json::parse(R"([
      {"type":"Hostname","address":"10.0.0.7"},{"type":"InternalIP","address":"10.0.0.7"}])"));
  const json moved = Patched(same, PlanKubeletEndpoint(same, {"10.1.0.2", 10250, true}));
  EXPECT_EQ(moved["status"]["addresses"], second["status"]["addresses"]);
}

// KubeEdge's hostnameOverride is often the address.
TEST(KubeletEndpointTest, ANodeThatIsNamedByItsAddressKeepsIt) {
  const json node = Node(R"({"addresses":[{"type":"InternalIP","address":"10.0.0.7"},
                             {"type":"Hostname","address":"10.0.0.7"}]})");
  const json expected = json::parse(R"([
      {"type":"Hostname","address":"10.1.0.1"},{"type":"InternalIP","address":"10.1.0.1"},
      {"type":"InternalIP","address":"10.0.0.7"}])");
  const KubeletEndpoint endpoint{"10.1.0.1", 10250, true};
  EXPECT_EQ(Patched(node, PlanKubeletEndpoint(node, endpoint))["status"]["addresses"], expected);
  json report = node["status"];
  SetKubeletEndpoint(endpoint, report);
  EXPECT_EQ(report["addresses"], expected);
}

// Else the addresses of a report that is written meanwhile would be lost: a list is replaced as a
// whole.
TEST(KubeletEndpointTest, ThePatchIsForTheNodeThatWasLookedAt) {
  const json node = Node("{}");
  const json patch = json::parse(PlanKubeletEndpoint(node, {"controller.example", 10250}));
  ASSERT_TRUE(node["metadata"].contains("resourceVersion"));
  EXPECT_EQ(patch["metadata"]["resourceVersion"], node["metadata"]["resourceVersion"]);
}

TEST(KubeletEndpointTest, WithoutOneTheNodeStaysAsItIs) {
  EXPECT_EQ(PlanKubeletEndpoint(Node(), {}), "");
}

}  // namespace
}  // namespace skerry::edgecontroller
