// The controller and its Kubernetes client against the real standalone-api-svc, over TLS, with the
// rights that it gives to controllers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "services/edge-controller-svc/engine.h"
#include "services/edge-controller-svc/testing/fake_hub.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/kubeclient/leader_election.h"
#include "services/lib/kubeclient/testing/api_process.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgecontroller {
namespace {

using cloudspoke::HubList;
using kubeclient::ApiProcess;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kBinary[] = "services/standalone-api-svc/standalone-api-svc";
constexpr absl::Duration kLimit = absl::Seconds(30);
constexpr char kReady[] =
    R"({"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady","message":"ok",
        "lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}],
        "addresses":[{"type":"InternalIP","address":"10.0.0.1"}],"capacity":{"cpu":"2","memory":"1Gi","pods":"110"},
        "allocatable":{"cpu":"2","memory":"1Gi","pods":"110"},
        "nodeInfo":{"architecture":"amd64","operatingSystem":"linux","kubeletVersion":"v1.32.0-skerry",
        "bootID":"","containerRuntimeVersion":"containerd://1.6","kernelVersion":"6","kubeProxyVersion":"",
        "machineID":"","osImage":"Debian","systemUUID":""}})";

class StandaloneApiTest : public ::testing::Test {
 protected:
  StandaloneApiTest() : api_(kBinary, folder_.path()) {
    api_.Start();
    admin_ = api_.Open("admin");
    client_ = api_.Open("edge-controller");
    hubs_.Set({hub_.address()});
    engine_ = std::make_unique<Engine>(
        Engine::Options{.instance = "test",
                        .nodes = {.lease_interval = absl::Milliseconds(200),
                                  .lost_after = absl::Milliseconds(500)}},
        *client_, hubs_, Engine::Listener{.on_synced = [] {}, .on_hubs = [](size_t) {}}, clock_,
        metrics_, log::Logger::Null());
    engine_->Start();
    EXPECT_TRUE(hub_.AwaitAttached(kLimit));
  }

  void Create(const kubeclient::Resource& resource, const std::string& object_namespace,
              const json& object) {
    auto created = admin_->Create(resource, object_namespace, object.dump());
    ASSERT_TRUE(created.ok()) << created.status();
  }
  void CreatePod(const std::string& name, const std::string& node) {
    Create(kubeclient::Pods(), "default",
           {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}}},
            {"spec",
             {{"nodeName", node},
              {"containers",
               {{{"name", "c"},
                 {"image", "busybox"},
                 {"envFrom", {{{"configMapRef", {{"name", "cm"}}}}}}}}}}}});
  }
  json Get(const kubeclient::Resource& resource, const std::string& object_namespace,
           const std::string& name) {
    auto object = admin_->Get(resource, object_namespace, name);
    return object.ok() ? object->Json() : json();
  }
  // Polls: the API has no other way for a test that is not an informer.
  bool Await(const std::function<bool()>& want) {
    const absl::Time deadline = absl::Now() + kLimit;
    while (absl::Now() < deadline) {
      if (want()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::string Ready(const std::string& node) {
    const json object = Get(kubeclient::Nodes(), "", node);
    for (const json& c : object.value("/status/conditions"_json_pointer, json::array())) {
      if (c["type"] == "Ready") return c["status"];
    }
    return "";
  }
  void RegisterNode(const std::string& node) {
    hub_.Connect(node, 1);
    hub_.ReportNode(node, 1, 1, kReady);
    ASSERT_TRUE(hub_.AwaitSaid(node + " done 1 OK", 1, kLimit));
  }

  testing::TempDir folder_;
  metrics::Registry registry_{"test-svc"};
  EdgeControllerMetrics metrics_{registry_};
  SystemClock clock_;
  ApiProcess api_;
  std::unique_ptr<kubeclient::Client> admin_;
  std::unique_ptr<kubeclient::Client> client_;
  FakeHub hub_;
  HubList hubs_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(StandaloneApiTest, NodeLivesAndIsLostAndComesBack) {
  RegisterNode("edge-1");
  const json node = Get(kubeclient::Nodes(), "", "edge-1");
  EXPECT_EQ(node["status"]["capacity"]["cpu"], "2");
  EXPECT_TRUE(node["metadata"]["labels"].contains("node-role.kubernetes.io/edge"));
  EXPECT_EQ(Ready("edge-1"), "True");
  EXPECT_TRUE(
      Await([&] { return !Get(kubeclient::Leases(), "kube-node-lease", "edge-1").is_null(); }));
  hub_.Disconnect("edge-1", 1);
  EXPECT_TRUE(Await([&] { return Ready("edge-1") == "Unknown"; }));
  hub_.Connect("edge-1", 2);
  hub_.ReportNode("edge-1", 2, 2, kReady);
  EXPECT_TRUE(Await([&] { return Ready("edge-1") == "True"; }));
}

TEST_F(StandaloneApiTest, PodGoesDownItsStatusComesUpAndItsDeletionEnds) {
  RegisterNode("edge-1");
  Create(kubeclient::ConfigMaps(), "default",
         {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", "cm"}}},
          {"data", {{"k", "v"}}}});
  CreatePod("p", "edge-1");
  hub_.Subscribe("edge-1", 1, "configmaps", 1);
  hub_.Subscribe("edge-1", 1, "pods", 2);
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 pods + default/p", 1, kLimit));
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 configmaps + default/cm", 1, kLimit));
  const std::string uid = Get(kubeclient::Pods(), "default", "p")["metadata"]["uid"];

  hub_.ReportPod(
      "edge-1", 1, 2, "default/p", uid,
      R"({"phase":"Running","podIP":"10.1.0.2","podIPs":[{"ip":"10.1.0.2"}],"startTime":"2026-01-01T00:00:00Z",
                     "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],
                     "containerStatuses":[{"name":"c","image":"busybox","imageID":"x","ready":true,"restartCount":0,
                     "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]})");
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 done 2 OK", 1, kLimit));
  EXPECT_EQ(Get(kubeclient::Pods(), "default", "p")["status"]["podIP"], "10.1.0.2");

  ASSERT_TRUE(
      admin_->Delete(kubeclient::Pods(), "default", "p", {.grace_period_seconds = 30}).ok());
  EXPECT_TRUE(Await([&] {
    return hub_.Pushed("edge-1", "pods", "default/p").find("deletionTimestamp") !=
           std::string::npos;
  }));
  hub_.ReportPod("edge-1", 1, 3, "default/p", uid, R"({"phase":"Succeeded"})", /*gone=*/true);
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 done 3 OK", 1, kLimit));
  EXPECT_TRUE(absl::IsNotFound(admin_->Get(kubeclient::Pods(), "default", "p").status()));
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 pods - default/p", 1, kLimit));
}

TEST_F(StandaloneApiTest, ServerKilledAndStartedAgainLosesNothing) {
  RegisterNode("edge-1");
  hub_.Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 pods synced", 1, kLimit));
  CreatePod("before", "edge-1");
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 pods + default/before", 1, kLimit));
  const std::string uid = Get(kubeclient::Pods(), "default", "before")["metadata"]["uid"];
  api_.Kill();
  hub_.ReportPod("edge-1", 1, 2, "default/before", uid, R"({"phase":"Running"})");
  api_.Start();
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 done 2 OK", 1, kLimit)) << "the report waited for the server";
  EXPECT_EQ(Get(kubeclient::Pods(), "default", "before")["status"]["phase"], "Running");
  CreatePod("after", "edge-1");
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 pods + default/after", 1, kLimit));
  for (const std::string& line : hub_.Said())
    EXPECT_EQ(line.find(" - "), std::string::npos) << line;
}

TEST_F(StandaloneApiTest, ErrorsAndPreconditionsAreKubernetes) {
  const json object = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "x"}}}};
  Create(kubeclient::ConfigMaps(), "default", object);
  EXPECT_TRUE(absl::IsAlreadyExists(
      admin_->Create(kubeclient::ConfigMaps(), "default", object.dump()).status()));
  json stale = object;
  stale["metadata"]["resourceVersion"] = "1";
  EXPECT_TRUE(absl::IsAborted(
      admin_->Update(kubeclient::ConfigMaps(), "default", "x", stale.dump()).status()));
  EXPECT_TRUE(
      absl::IsAborted(admin_->Delete(kubeclient::ConfigMaps(), "default", "x", {.uid = "other"})));
  EXPECT_TRUE(absl::IsNotFound(admin_->Get(kubeclient::ConfigMaps(), "default", "none").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      admin_
          ->Create(kubeclient::ConfigMaps(), "default",
                   R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"UPPER CASE"}})")
          .status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      client_->Create(kubeclient::ConfigMaps(), "default", object.dump()).status()))
      << "a controller makes no ConfigMaps";
  EXPECT_TRUE(absl::IsPermissionDenied(client_->Delete(kubeclient::Secrets(), "default", "x")));
}

TEST_F(StandaloneApiTest, LeaderElectionWorksWithTheControllersRights) {
  kubeclient::LeaderElector::Options options{
      .lease_namespace = "kube-system", .lease_name = "lock", .identity = "a"};
  kubeclient::LeaderElector a(*client_, clock_, options, {}, registry_, log::Logger::Null());
  options.identity = "b";
  kubeclient::LeaderElector b(*client_, clock_, options, {}, registry_, log::Logger::Null());
  EXPECT_TRUE(a.TryAcquireOrRenew());
  EXPECT_FALSE(b.TryAcquireOrRenew());
  EXPECT_TRUE(a.TryAcquireOrRenew());
  a.Release();
  EXPECT_TRUE(b.TryAcquireOrRenew());
}

}  // namespace
}  // namespace skerry::edgecontroller
