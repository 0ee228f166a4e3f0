// The whole controller between a Kubernetes API in memory and a hub in this process, over real
// gRPC. One file, because all of it shares the fixture and building it twice costs more than its
// length.
#include "services/edge-controller-svc/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/edge-controller-svc/testing/fake_hub.h"
#include "services/lib/cloudspoke/subscription.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::edgecontroller {
namespace {

using cloudspoke::HubList;
using cloudspoke::VersionOf;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReady[] =
    R"({"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"architecture":"amd64"}})";

std::string Pod(const std::string& name, const std::string& node,
                const std::string& config_map = "") {
  json pod = {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", {{"namespace", "ns"}, {"name", name}, {"managedFields", json::array({1})}}},
      {"spec", {{"nodeName", node}, {"containers", json::array()}}},
      {"status", {{"phase", "Pending"}}}};
  if (!config_map.empty())
    pod["spec"]["containers"] = {{{"envFrom", {{{"configMapRef", {{"name", config_map}}}}}}}};
  return pod.dump();
}

std::string ConfigMap(const std::string& name, const std::string& value = "1") {
  return json{{"apiVersion", "v1"},
              {"kind", "ConfigMap"},
              {"metadata", {{"namespace", "ns"}, {"name", name}}},
              {"data", {{"v", value}}}}
      .dump();
}

std::string EdgeNode(const std::string& name) {
  return json{{"apiVersion", "v1"},
              {"kind", "Node"},
              {"metadata", {{"name", name}, {"labels", {{"node-role.kubernetes.io/edge", ""}}}}},
              {"status", json::parse(kReady)}}
      .dump();
}

std::string VersionOfPeek(const kubeclient::FakeClient& api, const kubeclient::Resource& resource,
                          const std::string& key) {
  return VersionOf(*api.Peek(resource, key));
}

class EngineTest : public ::testing::Test {
 protected:
  ~EngineTest() override { engine_.reset(); }

  void Start() {
    if (hubs_.Find().empty()) hubs_.Set({hub_->address()});
    engine_ = std::make_unique<Engine>(
        Engine::Options{.instance = "test",
                        .upstream = {.kubelet = kubelet_},
                        .nodes = {.lease_interval = absl::Milliseconds(50),
                                  .lost_after = lost_after_,
                                  .pod_gc_after = pod_gc_after_,
                                  .kubelet = kubelet_},
                        .find_hubs_interval = absl::Milliseconds(20)},
        api_, hubs_, Engine::Listener{.on_synced = [] {}, .on_hubs = [](size_t) {}}, clock_,
        metrics_, log::Logger::Null());
    engine_->Start();
  }
  void StartAttached() {
    Start();
    ASSERT_TRUE(hub_->AwaitAttached());
  }
  bool AwaitPod(const std::string& key, const std::function<bool(const json&)>& want) {
    return api_.Await(kubeclient::Pods(), key, [&](const std::optional<KubeObject>& pod) {
      return pod.has_value() && want(pod->Json());
    });
  }
  bool AwaitReady(const std::string& node, const std::string& status) {
    return api_.Await(kubeclient::Nodes(), node, [&](const std::optional<KubeObject>& object) {
      if (!object.has_value()) return false;
      const json conditions =
          object->Json().value("/status/conditions"_json_pointer, json::array());
      for (const json& c : conditions) {
        if (c["type"] == "Ready") return c["status"] == status;
      }
      return false;
    });
  }

  metrics::Registry registry_{"test-svc"};
  EdgeControllerMetrics metrics_{registry_};
  SystemClock clock_;
  absl::Duration lost_after_ = absl::Minutes(5);
  absl::Duration pod_gc_after_ = absl::Minutes(5);
  KubeletEndpoint kubelet_;
  kubeclient::FakeClient api_;
  std::unique_ptr<FakeHub> hub_ = std::make_unique<FakeHub>();
  HubList hubs_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, RegistersItsTypes) {
  StartAttached();
  EXPECT_EQ(hub_->registration().spoke(), "edge-controller-svc/test");
  EXPECT_THAT(hub_->registration().resource_types(),
              ElementsAre("pods", "configmaps", "secrets", "serviceaccounts", "nodes"));
  EXPECT_THAT(hub_->registration().report_types(), ElementsAre("pods", "nodes"));
}

TEST_F(EngineTest, NodeGetsItsPodsAndTheirReferencesAndNoOthers) {
  api_.Put(kubeclient::Pods(), Pod("mine", "edge-1", "cm"));
  api_.Put(kubeclient::Pods(), Pod("other", "edge-2", "secret-of-2"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("secret-of-2"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("unused"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "configmaps", 1);
  hub_->Subscribe("edge-1", 1, "pods", 2);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps synced"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 configmaps + ns/cm", "edge-1 configmaps synced",
                                        "edge-1 pods + ns/mine", "edge-1 pods synced"));
  EXPECT_THAT(hub_->Pushed("edge-1", "pods", "ns/mine"), Not(HasSubstr("managedFields")));
}

TEST_F(EngineTest, ReconnectedNodeGetsDifferencesOnly) {
  api_.Put(kubeclient::Pods(), Pod("same", "edge-1"));
  api_.Put(kubeclient::Pods(), Pod("newer", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1,
                  {{"ns/same", VersionOfPeek(api_, kubeclient::Pods(), "ns/same")},
                   {"ns/newer", "uid-2/1"},
                   {"ns/deleted-meanwhile", "uid-9/1"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 pods - ns/deleted-meanwhile",
                                        "edge-1 pods + ns/newer", "edge-1 pods synced"));
}

// The box must not lose its pods because a cache was not filled yet.
TEST_F(EngineTest, AttachesOnlyWhenAllCachesAreWhole) {
  absl::Mutex mutex;
  bool secrets_up = false;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    if (verb == "LIST" && resource.plural == "secrets" && !secrets_up)
      return absl::UnavailableError("down");
    return absl::OkStatus();
  });
  Start();
  EXPECT_FALSE(hub_->AwaitAttached(absl::Milliseconds(500)));
  {
    absl::MutexLock lock(&mutex);
    secrets_up = true;
  }
  EXPECT_TRUE(hub_->AwaitAttached());
}

TEST_F(EngineTest, FollowsChangesOfPodsAndConfigMaps) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "configmaps", 1);
  hub_->Subscribe("edge-1", 1, "pods", 2);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1", "cm"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods + ns/p")) << "also while its ConfigMap is missing";
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm", "1"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps + ns/cm"));
  api_.Put(kubeclient::ConfigMaps(), ConfigMap("cm", "2"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps + ns/cm", 2));
  EXPECT_THAT(hub_->Pushed("edge-1", "configmaps", "ns/cm"), HasSubstr(R"("v":"2")"));
  api_.Remove(kubeclient::Pods(), "ns", "p");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods - ns/p"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 configmaps - ns/cm"));
  const std::vector<std::string> said = hub_->Said();
  EXPECT_LT(std::find(said.begin(), said.end(), "edge-1 pods - ns/p"),
            std::find(said.begin(), said.end(), "edge-1 configmaps - ns/cm"))
      << "the pod goes before what it uses";
}

TEST_F(EngineTest, FrameOfAFencedSessionIsDropped) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 2);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  hub_->ReportPod("edge-1", 1, 5, "ns/p", "uid-1", R"({"phase":"Failed"})");
  hub_->ReportPod("edge-1", 2, 6, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 6 OK"));
  EXPECT_THAT(hub_->Said(), ElementsAre("edge-1 done 6 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Running");
}

TEST_F(EngineTest, PodStatusReachesKubernetes) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running","podIP":"10.0.0.9"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["podIP"], "10.0.0.9");
}

TEST_F(EngineTest, ReportOfAnotherNodesPodIsRefused) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-2"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Failed"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 PERMISSION_DENIED"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Pending");
}

TEST_F(EngineTest, ConflictsAreRetriedWithWhatIsThere) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  absl::Mutex mutex;
  int conflicts = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource&,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    return verb == "PATCH" && ++conflicts <= 2 ? absl::AbortedError("conflict") : absl::OkStatus();
  });
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/p")->Json()["status"]["phase"], "Running");
}

TEST_F(EngineTest, ReportWaitsForTheApiServer) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  absl::Mutex mutex;
  int failures = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource&,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    return verb == "PATCH" && ++failures <= 4 ? absl::UnavailableError("down") : absl::OkStatus();
  });
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
}

TEST_F(EngineTest, GracefulDeletionEndsWhenTheEdgeSaysGone) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  ASSERT_TRUE(api_.Delete(kubeclient::Pods(), "ns", "p", {}).ok());
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods + ns/p", 2));
  EXPECT_THAT(hub_->Pushed("edge-1", "pods", "ns/p"), HasSubstr("deletionTimestamp"));
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_TRUE(api_.Peek(kubeclient::Pods(), "ns/p").has_value()) << "containers still run";
  hub_->ReportPod("edge-1", 1, 2, "ns/p", "uid-1", R"({"phase":"Succeeded"})", /*gone=*/true);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_FALSE(api_.Peek(kubeclient::Pods(), "ns/p").has_value());
  EXPECT_TRUE(hub_->AwaitSaid("edge-1 pods - ns/p"));
}

TEST_F(EngineTest, LateReportDoesNotBringADeletedPodBack) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportPod("edge-1", 1, 1, "ns/p", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_FALSE(api_.Peek(kubeclient::Pods(), "ns/p").has_value());
}

TEST_F(EngineTest, MalformedReportsAreAnsweredSoThatTheJournalGoesOn) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  cloudhub::v1::HubFrame frame;
  auto* report = frame.mutable_report();
  report->mutable_session()->set_node("edge-1");
  report->mutable_session()->set_epoch(1);
  report->mutable_report()->set_sequence(1);
  report->mutable_report()->set_type("pods");
  report->mutable_report()->set_key("ns/p");
  report->mutable_report()->set_value("\xff\xff garbage");
  hub_->Send(frame);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 INVALID_ARGUMENT"));
  report->mutable_report()->set_sequence(2);
  report->mutable_report()->set_type("gadgets");
  hub_->Send(frame);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 UNIMPLEMENTED"));
}

TEST_F(EngineTest, FirstReportRegistersTheNodeAndTheLeaseFollows) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportNode("edge-1", 1, 1, kReady);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  const json node = api_.Peek(kubeclient::Nodes(), "edge-1")->Json();
  EXPECT_TRUE(node["metadata"]["labels"].contains("node-role.kubernetes.io/edge"));
  EXPECT_EQ(node["metadata"]["labels"]["kubernetes.io/arch"], "amd64");
  EXPECT_EQ(node["status"]["conditions"][0]["status"], "True");
  std::string first;
  const auto renewed_twice = [&](const std::optional<KubeObject>& lease) {
    if (!lease.has_value()) return false;
    const std::string time = lease->Json()["spec"]["renewTime"];
    if (first.empty()) first = time;
    return time != first;
  };
  EXPECT_TRUE(api_.Await(kubeclient::Leases(), "kube-node-lease/edge-1", renewed_twice));
}

// [ec-6.3] Also for a node that has nothing to report to this leader.
TEST_F(EngineTest, TheKubeletEndpointIsPublishedForEveryNodeThatIsConnected) {
  kubelet_ = {"controller.example", 10250};
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-1"));
  api_.Put(kubeclient::Pods(), Pod("mine", "edge-1"));
  StartAttached();
  EXPECT_EQ(engine_->TunnelTo("edge-1"), nullptr);
  hub_->Connect("edge-1", 1);
  EXPECT_TRUE(api_.Await(kubeclient::Nodes(), "edge-1", [&](const std::optional<KubeObject>& node) {
    const json status = node->Json()["status"];
    return status.value("/daemonEndpoints/kubeletEndpoint/Port"_json_pointer, 0) == 10250 &&
           status.value("/addresses/0/address"_json_pointer, "") == "controller.example";
  }));
  EXPECT_EQ(engine_->TunnelTo("edge-1"), hubs_.Find()[0].tunnel_channel);
  EXPECT_TRUE(engine_->FindPod("ns/mine").has_value());
  EXPECT_FALSE(engine_->FindPod("ns/other").has_value());
}

// [ec-5.2] Two replicas; the node leaves one for the other, which has not noticed.
TEST_F(EngineTest, ANodeIsServedWhereItsNewestSessionIs) {
  FakeHub other;
  hubs_.Set({hub_->address(), other.address()});
  api_.Put(kubeclient::Pods(), Pod("mine", "edge-1"));
  StartAttached();
  ASSERT_TRUE(other.AwaitAttached());
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));

  other.Connect("edge-1", 2);
  other.Subscribe("edge-1", 2, "pods", 1);
  ASSERT_TRUE(other.AwaitSaid("edge-1 pods synced"));
  EXPECT_EQ(engine_->TunnelTo("edge-1"), hubs_.Find()[1].tunnel_channel);
  const std::string uid = api_.Peek(kubeclient::Pods(), "ns/mine")->uid();
  hub_->ReportPod("edge-1", 1, 1, "ns/mine", uid, R"({"phase":"Failed"})");
  // What the first hub says after that has been dealt with shows that the report was.
  hub_->Connect("edge-9", 1);
  hub_->Subscribe("edge-9", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-9 pods synced"));
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_edgecontroller_frames_dropped_total{reason=\"stale_session\"} 1"));
  other.ReportPod("edge-1", 2, 1, "ns/mine", uid, R"({"phase":"Running"})");
  EXPECT_TRUE(other.AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(api_.Peek(kubeclient::Pods(), "ns/mine")->Json()["status"]["phase"], "Running");
  EXPECT_THAT(registry_.Render(), HasSubstr(absl::StrCat("skerry_edgecontroller_hub_nodes{hub=\"",
                                                         other.address(), "\"} 1")));
}

// [ec-5.3]
TEST_F(EngineTest, HubsComeAndGo) {
  StartAttached();
  FakeHub other;
  hubs_.Set({other.address()});
  ASSERT_TRUE(other.AwaitAttached());
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  EXPECT_TRUE(hub_->AwaitSaid("edge-1 pods synced")) << "its nodes have not left it";
  const std::string address = hub_->address();
  const int port = hub_->port();
  hub_.reset();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (registry_.Render().find("skerry_edgecontroller_hubs 1") == std::string::npos &&
         absl::Now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_THAT(registry_.Render(), HasSubstr("skerry_edgecontroller_hubs 1"));
  EXPECT_THAT(registry_.Render(), Not(HasSubstr(address)));
  hub_ = std::make_unique<FakeHub>(port);
  hubs_.Set({address, other.address()});
  EXPECT_TRUE(hub_->AwaitAttached());
}

TEST_F(EngineTest, NodeCannotReportAnother) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  cloudhub::v1::HubFrame frame;
  frame.mutable_report()->mutable_session()->set_node("edge-1");
  frame.mutable_report()->mutable_session()->set_epoch(1);
  frame.mutable_report()->mutable_report()->set_sequence(1);
  frame.mutable_report()->mutable_report()->set_type("nodes");
  frame.mutable_report()->mutable_report()->set_key("edge-2");
  hub_->Send(frame);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 PERMISSION_DENIED"));
}

TEST_F(EngineTest, SilentNodeIsMarkedLostAndItsReportSetsItBack) {
  lost_after_ = absl::Milliseconds(100);
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportNode("edge-1", 1, 1, kReady);
  ASSERT_TRUE(AwaitReady("edge-1", "True"));
  hub_->Disconnect("edge-1", 1);
  ASSERT_TRUE(AwaitReady("edge-1", "Unknown"));
  hub_->Connect("edge-1", 2);
  hub_->ReportNode("edge-1", 2, 2, kReady);
  EXPECT_TRUE(AwaitReady("edge-1", "True"));
}

// The controller was cut off, the node's own session went on: it has no reason to report anew.
TEST_F(EngineTest, NodeWhoseHubWasOutOfReachIsSetBackWithoutAReport) {
  lost_after_ = absl::Milliseconds(100);
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportNode("edge-1", 1, 1, kReady);
  ASSERT_TRUE(AwaitReady("edge-1", "True"));
  hub_->Disconnect("edge-1", 1);
  ASSERT_TRUE(AwaitReady("edge-1", "Unknown"));
  hub_->Connect("edge-1", 1);
  EXPECT_TRUE(AwaitReady("edge-1", "True"));
}

TEST_F(EngineTest, EdgeNodeThatNeverConnectsIsMarkedLost) {
  lost_after_ = absl::Milliseconds(100);
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-1"));
  StartAttached();
  EXPECT_TRUE(AwaitReady("edge-1", "Unknown"));
}

// [ec-4.3] Boxes move from KubeEdge to us one by one: those that have not are its own.
TEST_F(EngineTest, EdgeNodeThatAnotherKeepsIsNotJudgedUntilItsLeaseStands) {
  lost_after_ = absl::Milliseconds(20);
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-1"));
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-2"));
  std::atomic<int> looks = 0;
  const auto renew = [&] {
    api_.Put(kubeclient::Leases(),
             json{{"metadata", {{"name", "edge-2"}, {"namespace", "kube-node-lease"}}},
                  {"spec", {{"renewTime", absl::StrCat(looks.load())}}}}
                 .dump());
  };
  renew();
  absl::Notification looked_often;
  api_.SetHook(
      [&](absl::string_view verb, const kubeclient::Resource& resource, absl::string_view name) {
        if (verb == "GET" && resource.plural == kubeclient::Leases().plural && name == "edge-2") {
          renew();
          if (++looks == 5) looked_often.Notify();
        }
        return absl::OkStatus();
      });
  StartAttached();
  ASSERT_TRUE(looked_often.WaitForNotificationWithTimeout(absl::Seconds(20)));
  ASSERT_TRUE(AwaitReady("edge-1", "Unknown"));
  EXPECT_TRUE(AwaitReady("edge-2", "True"));
  api_.SetHook(nullptr);
  EXPECT_TRUE(AwaitReady("edge-2", "Unknown"));
}

TEST_F(EngineTest, NodeOfTheCloudIsNotJudged) {
  lost_after_ = absl::Milliseconds(10);
  json node = json::parse(EdgeNode("cloud-1"));
  node["metadata"].erase("labels");
  api_.Put(kubeclient::Nodes(), node.dump());
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-1"));
  StartAttached();
  ASSERT_TRUE(AwaitReady("edge-1", "Unknown"));
  EXPECT_TRUE(AwaitReady("cloud-1", "True"));
}

TEST_F(EngineTest, OwnHeartbeatIsNotSentBackToTheNode) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->ReportNode("edge-1", 1, 1, kReady);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  hub_->Subscribe("edge-1", 1, "nodes", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 nodes synced"));
  hub_->ReportNode("edge-1", 1, 2,
                   R"({"conditions":[{"type":"Ready","status":"True","reason":"Other"}]})");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  json node = api_.Peek(kubeclient::Nodes(), "edge-1")->Json();
  node["spec"]["unschedulable"] = true;
  api_.Put(kubeclient::Nodes(), node.dump());
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 nodes + edge-1", 2));
  // Registration, and the cordon: not the heartbeat.
  EXPECT_THAT(hub_->Said(), Not(Contains("edge-1 nodes + edge-1").Times(3)));
}

TEST_F(EngineTest, DeletedNodeIsNotMadeAgainInTheSameSession) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "nodes", 1);
  hub_->ReportNode("edge-1", 1, 1, kReady);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 nodes + edge-1"));
  api_.Remove(kubeclient::Nodes(), "", "edge-1");
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 nodes - edge-1"));
  hub_->ReportNode("edge-1", 1, 2, kReady);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_FALSE(api_.Peek(kubeclient::Nodes(), "edge-1").has_value());
  hub_->Connect("edge-1", 2);
  hub_->ReportNode("edge-1", 2, 3, kReady);
  EXPECT_TRUE(AwaitReady("edge-1", "True"));
}

TEST_F(EngineTest, PodsOfADeletedNodeAreCollected) {
  pod_gc_after_ = absl::Milliseconds(50);
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-1"));
  api_.Put(kubeclient::Nodes(), EdgeNode("edge-2"));
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  api_.Put(kubeclient::Pods(), Pod("stays", "edge-2"));
  StartAttached();
  api_.Remove(kubeclient::Nodes(), "", "edge-1");
  EXPECT_TRUE(
      api_.Await(kubeclient::Pods(), "ns/p", [](const auto& pod) { return !pod.has_value(); }));
  EXPECT_TRUE(api_.Peek(kubeclient::Pods(), "ns/stays").has_value());
}

TEST_F(EngineTest, AfterALostHubEverythingIsDerivedAnew) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  hub_->Cut();
  ASSERT_TRUE(hub_->AwaitAttached());
  EXPECT_EQ(hub_->attachments(), 2);
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1,
                  {{"ns/p", VersionOfPeek(api_, kubeclient::Pods(), "ns/p")}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced", 2));
  EXPECT_EQ(hub_->Said().size(), 3u) << "the pod is not sent again";
}

TEST_F(EngineTest, HoldingsMayComeInParts) {
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 7, {{"ns/a", "u/1"}}, /*more=*/true);
  hub_->Subscribe("edge-1", 1, "pods", 7, {{"ns/b", "u/1"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  EXPECT_THAT(hub_->Said(),
              ElementsAre("edge-1 pods - ns/a", "edge-1 pods - ns/b", "edge-1 pods synced"));
}

TEST_F(EngineTest, RefusedObjectShowsAsAnEvent) {
  api_.Put(kubeclient::Pods(), Pod("p", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 pods synced"));
  cloudhub::v1::HubFrame frame;
  auto* done = frame.mutable_push_done();
  done->mutable_session()->set_node("edge-1");
  done->mutable_session()->set_epoch(1);
  done->set_type("pods");
  done->set_subscription_id(1);
  auto* item = done->add_items();
  item->set_key("ns/p");
  item->mutable_status()->set_code(3);
  item->mutable_status()->set_message("no such runtime class");
  hub_->Send(frame);
  hub_->Send(frame);
  const auto find = [&](const std::string& want_count) {
    auto list = api_.List(kubeclient::Events(), "ns", {});
    for (const KubeObject& event : list->items) {
      const json e = event.Json();
      if (e["involvedObject"]["name"] == "p" && e["reason"] == "RejectedByEdge" &&
          e["count"].dump() == want_count)
        return true;
    }
    return false;
  };
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!find("2") && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(find("2"));
}

TEST_F(EngineTest, NodeWithVeryMuchToSendDelaysNoOther) {
  const std::string big(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    api_.Put(kubeclient::Pods(), Pod(absl::StrCat("p", i), "big", absl::StrCat("cm", i)));
    api_.Put(kubeclient::ConfigMaps(), ConfigMap(absl::StrCat("cm", i), big));
  }
  api_.Put(kubeclient::Pods(), Pod("small", "small"));
  StartAttached();
  hub_->Connect("big", 1);
  hub_->Connect("small", 1);
  hub_->Subscribe("big", 1, "configmaps", 1);
  hub_->Subscribe("small", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("big configmaps synced"));
  const std::vector<std::string> said = hub_->Said();
  const auto small = std::find(said.begin(), said.end(), "small pods synced");
  ASSERT_NE(small, said.end());
  EXPECT_LT(small - said.begin(), 60);
}

// ec-2.3: an object of 200 kB is worth three turns of others.
TEST_F(EngineTest, NodesTakeTurnsByBytes) {
  const std::string big(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    api_.Put(kubeclient::Pods(), Pod(absl::StrCat("p", i), "big", absl::StrCat("cm", i)));
    api_.Put(kubeclient::ConfigMaps(), ConfigMap(absl::StrCat("cm", i), big));
  }
  for (int i = 0; i < 30; ++i) api_.Put(kubeclient::Pods(), Pod(absl::StrCat("s", i), "small"));
  StartAttached();
  hub_->Connect("big", 1);
  hub_->Connect("small", 1);
  hub_->Subscribe("big", 1, "configmaps", 1);
  hub_->Subscribe("small", 1, "pods", 1);
  ASSERT_TRUE(hub_->AwaitSaid("big configmaps synced"));
  ASSERT_TRUE(hub_->AwaitSaid("small pods synced"));
  const std::vector<std::string> said = hub_->Said();
  const auto of_small = [](const std::string& line) { return line.rfind("small ", 0) == 0; };
  const auto first = std::find_if(said.begin(), said.end(), of_small);
  const auto last = std::find(said.begin(), said.end(), "small pods synced");
  EXPECT_LE(std::count_if(first, last, [&](const std::string& line) { return !of_small(line); }),
            11);
}

}  // namespace
}  // namespace skerry::edgecontroller
