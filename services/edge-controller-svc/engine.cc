#include "services/edge-controller-svc/engine.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-controller-svc/core/object_ref.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {

// A hub client as the way down uses it.
class Engine::Link final : public HubLink {
 public:
  Link(HubClient::Options options, const HubTarget& target, exec::SerialExecutor& executor,
       HubClient::Events events, log::Logger log)
      : tunnel_channel_(target.tunnel_channel),
        client_(std::move(options), target.channel, executor, std::move(events), log) {}

  bool Send(cloudhub::v1::SpokeFrame frame) override { return client_.Send(std::move(frame)); }
  size_t pending_bytes() const override { return client_.pending_bytes(); }
  HubClient& client() { return client_; }
  const std::shared_ptr<grpc::Channel>& tunnel_channel() const { return tunnel_channel_; }

 private:
  const std::shared_ptr<grpc::Channel> tunnel_channel_;
  HubClient client_;
};

Engine::Engine(Options options, kubeclient::Client& client, HubSource& hubs, Listener listener,
               Clock& clock, EdgeControllerMetrics& metrics, log::Logger log)
    : options_(std::move(options)),
      client_(client),
      hubs_(hubs),
      listener_(std::move(listener)),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      executor_("engine", clock),
      events_(client, clock, metrics.events_dropped, log),
      downstream_(
          executor_,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          events_, metrics, log),
      upstream_(
          options_.upstream, client,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            if (const auto link = LinkOf(hub); link != nullptr) link->Send(std::move(frame));
          },
          clock, metrics, log),
      upstream_events_(
          options_.events, client,
          [this](absl::string_view type, absl::string_view key) { return Cached(type, key); },
          sessions_,
          [this](const std::string& hub, cloudhub::v1::SpokeFrame frame) {
            if (const auto link = LinkOf(hub); link != nullptr) link->Send(std::move(frame));
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
      finder_("find-hubs", clock) {
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

std::shared_ptr<Engine::Link> Engine::MakeLink(const HubTarget& target) {
  const std::string& name = target.address;
  HubClient::Options options{
      .address = name,
      .spoke = absl::StrCat("edge-controller-svc/", options_.instance),
      .resource_types = {kPods, kConfigMaps, kSecrets, kServiceAccounts, kNodes},
      .report_types = {kPods, kNodes},
      .event_streams = {UpstreamEvents::kStream},
      .pending_bytes_max = options_.hub_pending_bytes_max};
  HubClient::Events events{
      .on_attached = [this, name] { OnAttached(name); },
      .on_frame = [this, name](const cloudhub::v1::HubFrame& frame) { OnFrame(name, frame); },
      .on_lost = [this, name](const absl::Status&) { OnLost(name); },
      .on_drained = [this, name] { downstream_.Drained(name); }};
  return std::make_shared<Link>(std::move(options), target, executor_, std::move(events), log_);
}

std::shared_ptr<Engine::Link> Engine::LinkOf(const std::string& hub) const {
  absl::MutexLock lock(&links_mutex_);
  const auto it = links_.find(hub);
  return it == links_.end() ? nullptr : it->second;
}

std::shared_ptr<grpc::Channel> Engine::TunnelTo(const std::string& node) const {
  const std::optional<Session> session = sessions_.Find(node);
  if (!session.has_value() || !session->connected) return nullptr;
  const std::shared_ptr<Link> link = LinkOf(session->hub);
  return link == nullptr ? nullptr : link->tunnel_channel();
}

void Engine::FindHubs() {
  const std::vector<HubTarget> targets = hubs_.Find();
  std::vector<std::shared_ptr<Link>> gone;
  executor_.Run([&] { gone = SetHubs(targets); });
  for (const std::shared_ptr<Link>& link : gone) link->client().Stop();
  finder_.PostAfter(options_.find_hubs_interval, [this] { FindHubs(); });
}

std::vector<std::shared_ptr<Engine::Link>> Engine::SetHubs(const std::vector<HubTarget>& targets) {
  std::set<std::string> named;
  absl::MutexLock lock(&links_mutex_);
  if (ending_) return {};
  for (const HubTarget& target : targets) {
    named.insert(target.address);
    std::shared_ptr<Link>& link = links_[target.address];
    if (link != nullptr) continue;
    log_.Info("hub found", {{"hub", target.address}});
    link = MakeLink(target);
    link->client().Start();
  }
  std::vector<std::shared_ptr<Link>> gone;
  for (auto it = links_.begin(); it != links_.end();) {
    if (named.count(it->first) != 0 || attached_.count(it->first) != 0) {
      ++it;
      continue;
    }
    log_.Info("hub is gone", {{"hub", it->first}});
    metrics_.ForgetHub(it->first);
    gone.push_back(std::move(it->second));
    it = links_.erase(it);
  }
  metrics_.hubs.Set(static_cast<double>(links_.size()));
  return gone;
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
  std::map<std::string, std::shared_ptr<Link>> links;
  executor_.Run([&] {
    absl::MutexLock lock(&links_mutex_);
    ending_ = true;
    links = links_;
  });
  for (const auto& [name, link] : links) link->client().Stop();
  upstream_.Stop();
  upstream_events_.Stop();
  keeper_.Stop();
  events_.Stop();
  finder_.Stop();  // After all that a leader does: a name's lookup may take long to fail.
  executor_.Stop();
  for (const auto& [name, link] : links) metrics_.ForgetHub(name);
  metrics_.hubs.Set(0);
  metrics_.hubs_attached.Set(0);
  metrics_.nodes_connected.Set(0);
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
  finder_.Post([this] { FindHubs(); });
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

void Engine::OnAttached(const std::string& hub) {
  const std::shared_ptr<Link> link = LinkOf(hub);
  if (link == nullptr) return;  // It is being ended.
  downstream_.HubAttached(hub, *link);
  attached_.insert(hub);
  CountNodes();
  metrics_.hubs_attached.Set(static_cast<double>(attached_.size()));
  listener_.on_hubs(attached_.size());
}

void Engine::OnLost(const std::string& hub) {
  if (attached_.erase(hub) == 0) return;
  metrics_.SetHubNodes(hub, 0);
  downstream_.HubLost(hub);
  for (const std::string& node : sessions_.DropHub(hub, clock_.Monotonic())) NodeGone(node);
  metrics_.hubs_attached.Set(static_cast<double>(attached_.size()));
  listener_.on_hubs(attached_.size());
}

void Engine::NodeGone(const std::string& node) {
  upstream_.SessionEnded(node);
  upstream_events_.SessionEnded(node);
  keeper_.NodeChanged(node);
  CountNodes();
}

void Engine::CountNodes() {
  metrics_.nodes_connected.Set(static_cast<double>(sessions_.connected()));
  for (const std::string& hub : attached_)
    metrics_.SetHubNodes(hub, static_cast<double>(sessions_.connected_to(hub)));
}

void Engine::OnFrame(const std::string& hub, const cloudhub::v1::HubFrame& frame) {
  if (attached_.count(hub) == 0) return;
  switch (frame.body_case()) {
    case cloudhub::v1::HubFrame::kNodeConnected:
      return OnConnected(hub, frame.node_connected());
    case cloudhub::v1::HubFrame::kNodeDisconnected:
      return OnDisconnected(hub, frame.node_disconnected());
    case cloudhub::v1::HubFrame::kSubscribed:
      return downstream_.Subscribed(hub, frame.subscribed());
    case cloudhub::v1::HubFrame::kUnsubscribed:
      return downstream_.Unsubscribed(hub, frame.unsubscribed());
    case cloudhub::v1::HubFrame::kPushDone:
      return downstream_.PushDone(hub, frame.push_done());
    case cloudhub::v1::HubFrame::kReport:
      return upstream_.OnReport(hub, frame.report());
    case cloudhub::v1::HubFrame::kEvents:
      return upstream_events_.OnEvents(hub, frame.events());
    case cloudhub::v1::HubFrame::kNodesSynced:
    case cloudhub::v1::HubFrame::kRegistered:
      return;
    case cloudhub::v1::HubFrame::BODY_NOT_SET:
      metrics_.FrameDropped("malformed").Increment();  // Or of a newer hub.
      return;
  }
}

void Engine::OnConnected(const std::string& hub, const cloudhub::v1::NodeConnected& frame) {
  const std::string& node = frame.session().node();
  if (!sessions_.Connect(hub, node, frame.session().epoch(), clock_.Monotonic())) {
    metrics_.FrameDropped("stale_session").Increment();
    return;
  }
  log_.Info("node connected", {{"node", node}, {"hub", hub}, {"epoch", frame.session().epoch()}});
  upstream_.SessionEnded(node);  // Reports of the session before come again in this one.
  upstream_events_.SessionEnded(node);
  downstream_.NodeConnected(hub, node, frame.session().epoch());
  keeper_.NodeChanged(node);
  CountNodes();
}

void Engine::OnDisconnected(const std::string& hub, const cloudhub::v1::NodeDisconnected& frame) {
  const std::string& node = frame.session().node();
  downstream_.NodeDisconnected(hub, node, frame.session().epoch());
  if (!sessions_.Disconnect(hub, node, frame.session().epoch(), clock_.Monotonic())) return;
  log_.Info("node disconnected", {{"node", node}, {"hub", hub}, {"reason", frame.reason()}});
  NodeGone(node);
}

}  // namespace skerry::edgecontroller
