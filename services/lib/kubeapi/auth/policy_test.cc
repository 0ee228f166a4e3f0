#include "services/lib/kubeapi/auth/policy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace skerry::kubeapi {
namespace {

constexpr char kPolicy[] = R"(
rules:
  - name: admins
    subjects: {groups: ["system:masters"]}
    allow:
      - {verbs: ["*"], apiGroups: ["*"], resources: ["*"]}
      - {verbs: ["*"], nonResourceURLs: ["*"]}
  - name: reader
    subjects: {users: [alice], groups: [readers]}
    allow:
      - {verbs: [get, list], apiGroups: [""], resources: [pods, pods/log], namespaces: [shop, bank]}
      - {verbs: [get], apiGroups: [apps], resources: ["*/status"]}
      - {verbs: [get, update], apiGroups: [""], resources: [configmaps], resourceNames: [one, two]}
      - {verbs: [watch], apiGroups: [""], resources: [nodes]}
      - {verbs: [get], nonResourceURLs: [/version, "/api*"]}
)";

Caller Alice() { return {.name = "alice", .groups = {"system:authenticated"}}; }

struct Request {
  const char* verb;
  const char* group;
  const char* resource;  // "pods/log"
  const char* ns;
  const char* name;
};

RequestInfo Info(const Request& request) {
  RequestInfo info{.is_resource = true,
                   .verb = request.verb,
                   .group = request.group,
                   .ns = request.ns,
                   .name = request.name};
  const std::string resource = request.resource;
  info.resource = resource.substr(0, resource.find('/'));
  if (resource.find('/') != std::string::npos)
    info.subresource = resource.substr(resource.find('/') + 1);
  return info;
}

RequestInfo Path(const char* verb, const char* path) {
  return {.is_resource = false, .path = path, .verb = verb};
}

Policy Parsed() {
  auto policy = Policy::Parse(kPolicy);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *policy;
}

TEST(PolicyTest, DecidesRequestsForResources) {
  const Policy policy = Parsed();
  const struct {
    Request request;
    bool allowed;
  } rows[] = {
      {{"get", "", "pods", "shop", "x"}, true},
      {{"list", "", "pods", "bank", ""}, true},
      {{"get", "", "pods/log", "shop", "x"}, true},
      {{"get", "", "pods/exec", "shop", "x"}, false},
      {{"get", "", "pods/status", "shop", "x"}, false},
      {{"delete", "", "pods", "shop", "x"}, false},
      {{"watch", "", "pods", "shop", ""}, false},
      {{"list", "", "pods", "other", ""}, false},
      {{"list", "", "pods", "", ""}, false},  // All namespaces is more than two.
      {{"get", "metrics.k8s.io", "pods", "shop", "x"}, false},
      {{"get", "apps", "deployments/status", "any", "d"}, true},
      {{"get", "apps", "deployments", "any", "d"}, false},
      {{"get", "", "configmaps", "any", "one"}, true},
      {{"update", "", "configmaps", "any", "two"}, true},
      {{"get", "", "configmaps", "any", "three"}, false},
      {{"get", "", "configmaps", "any", ""}, false},
      {{"watch", "", "nodes", "", ""}, true},
      {{"get", "", "secrets", "shop", "x"}, false},
  };
  for (const auto& row : rows) {
    const Decision decision = policy.Authorize(Alice(), Info(row.request));
    EXPECT_EQ(decision.allowed, row.allowed) << row.request.verb << " " << row.request.resource
                                             << " " << row.request.ns << "/" << row.request.name;
  }
}

TEST(PolicyTest, DecidesPaths) {
  const Policy policy = Parsed();
  EXPECT_TRUE(policy.Authorize(Alice(), Path("get", "/version")).allowed);
  EXPECT_TRUE(policy.Authorize(Alice(), Path("get", "/apis/apps/v1")).allowed);
  EXPECT_FALSE(policy.Authorize(Alice(), Path("post", "/version")).allowed);
  EXPECT_FALSE(policy.Authorize(Alice(), Path("get", "/version/x")).allowed);
  EXPECT_FALSE(policy.Authorize(Alice(), Path("get", "/metrics")).allowed);
}

TEST(PolicyTest, KnowsSubjectsByUserAndByGroup) {
  const Policy policy = Parsed();
  const RequestInfo info = Info({"get", "", "pods", "shop", "x"});
  EXPECT_TRUE(policy.Authorize({.name = "bob", .groups = {"readers"}}, info).allowed);
  EXPECT_FALSE(policy.Authorize({.name = "bob", .groups = {"alice"}}, info).allowed);
  EXPECT_FALSE(policy.Authorize({.name = "readers", .groups = {}}, info).allowed);
  EXPECT_FALSE(policy.Authorize({.name = "", .groups = {""}}, info).allowed);
  const Decision admin = policy.Authorize({.name = "root", .groups = {"system:masters"}},
                                          Info({"escalate", "x.io", "things/any", "n", "t"}));
  EXPECT_TRUE(admin.allowed);
  EXPECT_EQ(admin.reason, "rule admins");
}

TEST(PolicyTest, RefusesInTheWordsOfKubernetes) {
  const Policy policy = Parsed();
  EXPECT_EQ(
      policy.Authorize(Alice(), Info({"list", "", "pods", "y", ""})).reason,
      "User \"alice\" cannot list resource \"pods\" in API group \"\" in the namespace \"y\"");
  EXPECT_EQ(policy.Authorize(Alice(), Info({"patch", "apps", "deployments/scale", "", "d"})).reason,
            "User \"alice\" cannot patch resource \"deployments/scale\" in API group \"apps\" at "
            "the cluster scope");
  EXPECT_EQ(policy.Authorize(Alice(), Path("get", "/metrics")).reason,
            "User \"alice\" cannot get path \"/metrics\"");
}

TEST(PolicyTest, AnEmptyPolicyDeniesAll) {
  const auto policy = Policy::Parse("rules: []");
  ASSERT_TRUE(policy.ok());
  EXPECT_FALSE(
      policy->Authorize({.name = "root", .groups = {"system:masters"}}, Path("get", "/version"))
          .allowed);
}

TEST(PolicyTest, RefusesFilesWithMistakes) {
  const struct {
    const char* yaml;
    const char* says;
  } rows[] = {
      {"", "rules"},
      {"rules: {}", "must be a list"},
      {"rules: []\nrulez: []", "line 2: unknown key \"rulez\""},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], apiGroups: [''], "
       "resource: [pods]}]}",
       "unknown key \"resource\""},
      {"rules:\n- {subjects: {users: [u]}, allow: []}", "needs a name"},
      {"rules:\n- {name: a, allow: []}", "subjects are missing"},
      {"rules:\n- {name: a, subjects: {users: []}, allow: []}", "need users or groups"},
      {"rules:\n- {name: a, subjects: {users: ['*']}, allow: []}", "system:authenticated"},
      {"rules:\n- {name: a, subjects: {users: u}, allow: []}", "users must be a list"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: []}", "at least one"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{apiGroups: [''], resources: [pods]}]}",
       "verbs are missing"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], resources: [pods]}]}",
       "apiGroups"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], apiGroups: [''], "
       "resources: [pods], namespaces: []}]}",
       "namespaces is empty"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], resources: [pods], "
       "nonResourceURLs: [/a]}]}",
       "entry of their own"},
      {"rules:\n- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], nonResourceURLs: "
       "['/a*b']}]}",
       "last character"},
      {"rules:\n- {name: a, name: b, subjects: {users: [u]}, allow: []}", "twice"},
      {"rules: [", "line"},
      {"rules:\n- [a]", "a map"},
      {"rules: &a [*a]", ""},
  };
  for (const auto& row : rows) {
    const auto policy = Policy::Parse(row.yaml);
    EXPECT_TRUE(absl::IsInvalidArgument(policy.status())) << row.yaml;
    EXPECT_NE(policy.status().message().find(row.says), absl::string_view::npos) << row.yaml << "\n"
                                                                                 << policy.status();
  }
  const std::string two =
      "- {name: a, subjects: {users: [u]}, allow: [{verbs: [get], nonResourceURLs: [/a]}]}\n";
  EXPECT_FALSE(Policy::Parse("rules:\n" + two + two).ok());
  EXPECT_FALSE(Policy::Parse(std::string(2 << 20, ' ')).ok());
}

TEST(PolicyTest, TheShippedPolicyGivesEachTheirOwn) {
  std::ifstream file("services/standalone-api-svc/policy/default.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const auto policy = Policy::Parse(text.str());
  ASSERT_TRUE(policy.ok()) << policy.status();
  const Caller admin{.name = "admin", .groups = {"system:masters", "system:authenticated"}};
  const Caller controller{.name = "system:edge-controller",
                          .groups = {"skerry:controllers", "system:authenticated"}};
  const Caller node{.name = "system:node:n1", .groups = {"system:nodes", "system:authenticated"}};
  const Caller anonymous{.name = "system:anonymous", .groups = {"system:unauthenticated"}};
  const struct {
    Caller caller;
    RequestInfo info;
    bool allowed;
  } rows[] = {
      {admin, Info({"delete", "", "secrets", "n", "s"}), true},
      {admin, Path("get", "/metrics"), true},
      {controller, Info({"watch", "", "pods", "", ""}), true},
      {controller, Info({"patch", "", "pods/status", "n", "p"}), true},
      {controller, Info({"delete", "", "pods", "n", "p"}), true},
      {controller, Info({"create", "", "pods", "n", "p"}), false},
      {controller, Info({"get", "", "secrets", "n", "s"}), true},
      {controller, Info({"update", "", "secrets", "n", "s"}), false},
      {controller, Info({"create", "", "nodes", "", "n1"}), true},
      {controller, Info({"update", "devices.kubeedge.io", "devices/status", "n", "d"}), true},
      {controller, Info({"patch", "", "nodes/status", "", "n1"}), true},
      {controller, Info({"update", "coordination.k8s.io", "leases", "kube-node-lease", "n1"}),
       true},
      {controller, Path("get", "/api/v1"), true},
      {node, Info({"get", "", "pods", "n", "p"}), false},
      {node, Info({"get", "", "secrets", "n", "s"}), false},
      {node, Info({"get", "", "nodes", "", "n1"}), false},
      {node, Path("get", "/version"), true},
      {anonymous, Path("get", "/readyz"), true},
      {anonymous, Path("get", "/api"), false},
      {anonymous, Info({"list", "", "pods", "n", ""}), false},
  };
  for (const auto& row : rows) {
    const Decision decision = policy->Authorize(row.caller, row.info);
    EXPECT_EQ(decision.allowed, row.allowed)
        << row.caller.name << " " << row.info.verb << " " << row.info.resource << row.info.path;
  }
}

}  // namespace
}  // namespace skerry::kubeapi
