// The whole controller between a Kubernetes API in memory and a hub in this process, over real
// gRPC.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_FIXTURE_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "services/edge-controller-svc/engine.h"
#include "services/edge-controller-svc/testing/fake_hub.h"
#include "services/lib/cloudspoke/subscription.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::edgecontroller {

inline constexpr char kReady[] =
    R"({"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"architecture":"amd64"}})";

inline std::string Pod(const std::string& name, const std::string& node,
                       const std::string& config_map = "") {
  nlohmann::json pod = {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata",
       {{"namespace", "ns"}, {"name", name}, {"managedFields", nlohmann::json::array({1})}}},
      {"spec", {{"nodeName", node}, {"containers", nlohmann::json::array()}}},
      {"status", {{"phase", "Pending"}}}};
  if (!config_map.empty())
    pod["spec"]["containers"] = {{{"envFrom", {{{"configMapRef", {{"name", config_map}}}}}}}};
  return pod.dump();
}

inline std::string ConfigMap(const std::string& name, const std::string& value = "1") {
  return nlohmann::json{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", {{"namespace", "ns"}, {"name", name}}},
                        {"data", {{"v", value}}}}
      .dump();
}

inline std::string EdgeNode(const std::string& name) {
  return nlohmann::json{
      {"apiVersion", "v1"},
      {"kind", "Node"},
      {"metadata", {{"name", name}, {"labels", {{"node-role.kubernetes.io/edge", ""}}}}},
      {"status", nlohmann::json::parse(kReady)}}
      .dump();
}

inline std::string VersionOfPeek(const kubeclient::FakeClient& api,
                                 const kubeclient::Resource& resource, const std::string& key) {
  return cloudspoke::VersionOf(*api.Peek(resource, key));
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
  bool AwaitPod(const std::string& key, const std::function<bool(const nlohmann::json&)>& want) {
    return api_.Await(kubeclient::Pods(), key, [&](const std::optional<KubeObject>& pod) {
      return pod.has_value() && want(pod->Json());
    });
  }
  bool AwaitReady(const std::string& node, const std::string& status) {
    return api_.Await(kubeclient::Nodes(), node, [&](const std::optional<KubeObject>& object) {
      if (!object.has_value()) return false;
      const nlohmann::json conditions =
          object->Json().value("/status/conditions"_json_pointer, nlohmann::json::array());
      for (const nlohmann::json& c : conditions) {
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
  cloudspoke::HubList hubs_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_FIXTURE_H_
