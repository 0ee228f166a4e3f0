#include "services/edge-controller-svc/engine.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-controller-svc/core/object_ref.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {
namespace {

constexpr char kService[] = "edge-controller-svc";

}  // namespace

Engine::Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs,
               Listener listener, Clock& clock, EdgeControllerMetrics& metrics, log::Logger log)
    : options_(std::move(options)),
      client_(client),
      listener_(std::move(listener)),
      metrics_(metrics),
      log_(log),
      executor_("engine", clock),
      events_(client, kService, clock, metrics.events_dropped, log),
      downstream_(
          executor_,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          events_, metrics.hubs, log),
      upstream_(
          options_.upstream, client,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics, log),
      upstream_events_(
          options_.events, client,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            hubs_.Send(hub, std::move(frame));
          },
          clock, metrics, log),
      keeper_(options_.nodes, client,
              {.node = [this](const std::string& name) { return Cached(kNodes, name); },
               .pod = [this](const std::string& key) { return Cached(kPods, key); },
               .pods_of_node =
                   [this](const std::string& node) {
                     std::vector<std::string> keys;
                     executor_.Run([&] { keys = downstream_.PodsOfNode(node); });
                     return keys;
                   },
               .reapply = [this](const std::string& node) { return upstream_.ReapplyNode(node); }},
              sessions_, clock, metrics, log),
      hubs_({.spoke = absl::StrCat(kService, "/", options_.instance),
             .resource_types = {kPods, kConfigMaps, kSecrets, kServiceAccounts, kNodes},
             .report_types = {kPods, kNodes},
             .event_streams = {UpstreamEvents::kStream},
             .pending_bytes_max = options_.hub_pending_bytes_max,
             .find_interval = options_.find_hubs_interval},
            hubs, executor_, sessions_, downstream_.pusher(), *this, clock, metrics.hubs, log) {
  MakeInformers();
}

Engine::~Engine() { Stop(); }

void Engine::AddInformer(const kubeclient::Resource& resource, absl::string_view field_selector,
                         kubeclient::InformerMetrics& metrics,
                         kubeclient::Informer::Handlers handlers) {
  handlers.on_synced = [this] { executor_.Post([this] { OnInformerSynced(); }); };
  kubeclient::Informer::Options options{.resource = resource,
                                        .field_selector = std::string(field_selector)};
  informers_[resource.plural] = std::make_unique<kubeclient::Informer>(
      client_, std::move(options), std::move(handlers), metrics, log_);
}

void Engine::MakeInformers() {
  AddInformer(kubeclient::Pods(), "spec.nodeName!=", metrics_.pods,
              {.on_upsert = [this](const KubeObject& pod) { OnPod(pod); },
               .on_delete = [this](const KubeObject& pod) { downstream_.PodDeleted(pod); }});
  AddInformer(
      kubeclient::ConfigMaps(), "", metrics_.config_maps,
      {.on_upsert =
           [this](const KubeObject& o) { downstream_.ObjectChanged(kConfigMaps, o.key()); },
       .on_delete =
           [this](const KubeObject& o) { downstream_.ObjectChanged(kConfigMaps, o.key()); }});
  AddInformer(
      kubeclient::Secrets(), "", metrics_.secrets,
      {.on_upsert = [this](const KubeObject& o) { downstream_.ObjectChanged(kSecrets, o.key()); },
       .on_delete = [this](const KubeObject& o) { downstream_.ObjectChanged(kSecrets, o.key()); }});
  AddInformer(kubeclient::ServiceAccounts(), "", metrics_.service_accounts,
              {.on_upsert = [this](const KubeObject& o) { downstream_.ServiceAccountUpserted(o); },
               .on_delete = [this](const KubeObject& o) { downstream_.ServiceAccountDeleted(o); }});
  AddInformer(kubeclient::Nodes(), "", metrics_.nodes,
              {.on_upsert =
                   [this](const KubeObject& node) {
                     downstream_.ObjectChanged(kNodes, node.key());
                     keeper_.NodeChanged(node.name());
                   },
               .on_delete = [this](const KubeObject& node) { OnNodeDeleted(node); }});
}

void Engine::Start() {
  upstream_.Start();
  upstream_events_.Start();
  for (const auto& [type, informer] : informers_) informer->Start();
}

void Engine::Stop() {
  if (std::exchange(stopped_, true)) return;
  // Sources first, then what they feed.
  for (const auto& [type, informer] : informers_) informer->Stop();
  hubs_.Detach();
  upstream_.Stop();
  upstream_events_.Stop();
  keeper_.Stop();
  events_.Stop();
  hubs_.Stop();  // After all that a leader does: a name's lookup may take long to fail.
  executor_.Stop();
}

std::optional<KubeObject> Engine::Cached(absl::string_view type, absl::string_view key) const {
  const auto it = informers_.find(std::string(type));
  return it == informers_.end() ? std::nullopt : it->second->Get(key);
}

// ---- From informers.

void Engine::OnInformerSynced() {
  if (++informers_synced_ < informers_.size()) return;
  log_.Info("caches synced, attaching to hubs");
  listener_.on_synced();
  keeper_.Start();
  hubs_.Start();
}

void Engine::OnPod(const KubeObject& pod) {
  downstream_.PodUpserted(pod);
  const std::string node = kubeapi::StringAt(pod.Json(), {"spec", "nodeName"});
  if (!node.empty() && !Cached(kNodes, node).has_value()) keeper_.CheckNodeExists(node);
}

void Engine::OnNodeDeleted(const KubeObject& node) {
  log_.Info("Node deleted", {{"node", node.name()}});
  sessions_.NodeDeleted(node.name());
  upstream_.ForgetNode(node.name());
  downstream_.ObjectChanged(kNodes, node.key());
  keeper_.NodeChanged(node.name());
  keeper_.CheckNodeExists(node.name());
}

// ---- From hubs.

void Engine::OnNodeConnected(const std::string& node) {
  upstream_.SessionEnded(node);  // Reports of the session before come again in this one.
  upstream_events_.SessionEnded(node);
  keeper_.NodeChanged(node);
}

void Engine::OnNodeGone(const std::string& node) {
  upstream_.SessionEnded(node);
  upstream_events_.SessionEnded(node);
  keeper_.NodeChanged(node);
}

void Engine::OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) {
  upstream_.OnReport(hub, frame);
}

void Engine::OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
  upstream_events_.OnEvents(hub, frame);
}

void Engine::OnHubs(size_t attached) { listener_.on_hubs(attached); }

}  // namespace skerry::edgecontroller
