// Everything that a leader does; made when it begins to lead and destroyed when it ceases.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edge-controller-svc/downstream.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/edge-controller-svc/node_keeper.h"
#include "services/edge-controller-svc/upstream.h"
#include "services/edge-controller-svc/upstream_events.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_set.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/event_recorder.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::edgecontroller {

// Order of life: the caches fill with fresh lists; only when all are whole are the hubs attached,
// so that no object is taken from a node because a cache was not there yet; from then on hubs are
// looked for again and again. Everything about nodes is derived from what the hubs say. Start and
// Stop from one thread; Stop returns when nothing runs any more.
class Engine final : private cloudspoke::HubListener {
 public:
  struct Options {
    std::string instance;  // Unique for each process.
    Upstream::Options upstream;
    UpstreamEvents::Options events;
    NodeKeeper::Options nodes;
    size_t hub_pending_bytes_max = 16u << 20;
    absl::Duration find_hubs_interval = absl::Seconds(5);
  };
  // Called on the engine's threads.
  struct Listener {
    std::function<void()> on_synced;
    std::function<void(size_t attached)> on_hubs;
  };

  Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs,
         Listener listener, Clock& clock, EdgeControllerMetrics& metrics, log::Logger log);
  ~Engine() override;  // Stop().
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void Start();
  void Stop();

  // Any thread.
  std::optional<KubeObject> FindPod(const std::string& key) const { return Cached("pods", key); }
  // For tunnels to the node: to the hub that it is connected to. Null where it is to none.
  std::shared_ptr<grpc::Channel> TunnelTo(const std::string& node) const {
    return hubs_.TunnelTo(node);
  }

 private:
  void AddInformer(const kubeclient::Resource& resource, absl::string_view field_selector,
                   kubeclient::InformerMetrics& metrics, kubeclient::Informer::Handlers handlers);
  void MakeInformers();
  std::optional<KubeObject> Cached(absl::string_view type, absl::string_view key) const;
  void OnPod(const KubeObject& pod);
  void OnNodeDeleted(const KubeObject& node);

  // On the executor.
  void OnInformerSynced();
  void OnNodeConnected(const std::string& node) override;
  void OnNodeGone(const std::string& node) override;
  void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) override;
  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) override;
  void OnHubs(size_t attached) override;

  const Options options_;
  kubeclient::Client& client_;
  const Listener listener_;
  EdgeControllerMetrics& metrics_;
  log::Logger log_;

  cloudspoke::Sessions sessions_;
  exec::SerialExecutor executor_;
  kubeclient::EventRecorder events_;
  std::map<std::string, std::unique_ptr<kubeclient::Informer>> informers_;  // By type.
  Downstream downstream_;
  Upstream upstream_;
  UpstreamEvents upstream_events_;
  NodeKeeper keeper_;
  cloudspoke::HubSet hubs_;
  size_t informers_synced_ = 0;  // Of the executor.
  bool stopped_ = false;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_ENGINE_H_
