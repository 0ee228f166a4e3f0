// Nodes: registered, served by one of several hubs, lost, and gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/edge-controller-svc/engine_fixture.h"

namespace skerry::edgecontroller {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

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

}  // namespace
}  // namespace skerry::edgecontroller
