#include "services/lib/cloudspoke/hub_set.h"

#include <optional>
#include <utility>

namespace skerry::cloudspoke {

// A hub client as the way down uses it.
class HubSet::Link final : public HubLink {
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

HubSet::HubSet(Options options, HubSource& source, exec::SerialExecutor& executor,
               Sessions& sessions, Pusher& pusher, HubListener& listener, Clock& clock,
               HubMetrics& metrics, log::Logger log)
    : options_(std::move(options)),
      source_(source),
      executor_(executor),
      sessions_(sessions),
      pusher_(pusher),
      listener_(listener),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      finder_("find-hubs", clock) {}

HubSet::~HubSet() { Stop(); }

void HubSet::Start() {
  finder_.Post([this] { FindHubs(); });
}

void HubSet::Detach() {
  std::map<std::string, std::shared_ptr<Link>> links;
  executor_.Run([&] {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    links = links_;
  });
  for (const auto& [name, link] : links) link->client().Stop();
}

void HubSet::Stop() {
  Detach();
  finder_.Stop();
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, link] : links_) metrics_.ForgetHub(name);
  metrics_.hubs.Set(0);
  metrics_.hubs_attached.Set(0);
  metrics_.nodes_connected.Set(0);
}

void HubSet::Send(const std::string& hub, cloudhub::v1::SpokeFrame frame) {
  if (const auto link = LinkOf(hub); link != nullptr) link->Send(std::move(frame));
}

std::shared_ptr<grpc::Channel> HubSet::TunnelTo(const std::string& node) const {
  const std::optional<Session> session = sessions_.Find(node);
  if (!session.has_value() || !session->connected) return nullptr;
  const std::shared_ptr<Link> link = LinkOf(session->hub);
  return link == nullptr ? nullptr : link->tunnel_channel();
}

std::shared_ptr<HubSet::Link> HubSet::MakeLink(const HubTarget& target) {
  const std::string& name = target.address;
  HubClient::Options options{.address = name,
                             .spoke = options_.spoke,
                             .resource_types = options_.resource_types,
                             .report_types = options_.report_types,
                             .event_streams = options_.event_streams,
                             .pending_bytes_max = options_.pending_bytes_max};
  HubClient::Events events{
      .on_attached = [this, name] { OnAttached(name); },
      .on_frame = [this, name](const cloudhub::v1::HubFrame& frame) { OnFrame(name, frame); },
      .on_lost = [this, name](const absl::Status&) { OnLost(name); },
      .on_drained = [this, name] { pusher_.Drained(name); }};
  return std::make_shared<Link>(std::move(options), target, executor_, std::move(events), log_);
}

std::shared_ptr<HubSet::Link> HubSet::LinkOf(const std::string& hub) const {
  absl::MutexLock lock(&mutex_);
  const auto it = links_.find(hub);
  return it == links_.end() ? nullptr : it->second;
}

void HubSet::FindHubs() {
  const std::vector<HubTarget> targets = source_.Find();
  std::vector<std::shared_ptr<Link>> gone;
  executor_.Run([&] { gone = SetHubs(targets); });
  for (const std::shared_ptr<Link>& link : gone) link->client().Stop();
  finder_.PostAfter(options_.find_interval, [this] { FindHubs(); });
}

std::vector<std::shared_ptr<HubSet::Link>> HubSet::SetHubs(const std::vector<HubTarget>& targets) {
  std::set<std::string> named;
  absl::MutexLock lock(&mutex_);
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

// ---- From hubs.

void HubSet::OnAttached(const std::string& hub) {
  const std::shared_ptr<Link> link = LinkOf(hub);
  if (link == nullptr) return;  // It is being ended.
  pusher_.HubAttached(hub, *link);
  attached_.insert(hub);
  CountNodes();
  metrics_.hubs_attached.Set(static_cast<double>(attached_.size()));
  listener_.OnHubs(attached_.size());
}

void HubSet::OnLost(const std::string& hub) {
  if (attached_.erase(hub) == 0) return;
  metrics_.SetHubNodes(hub, 0);
  pusher_.HubLost(hub);
  for (const std::string& node : sessions_.DropHub(hub, clock_.Monotonic())) {
    listener_.OnNodeGone(node);
    CountNodes();
  }
  metrics_.hubs_attached.Set(static_cast<double>(attached_.size()));
  listener_.OnHubs(attached_.size());
}

void HubSet::CountNodes() {
  metrics_.nodes_connected.Set(static_cast<double>(sessions_.connected()));
  for (const std::string& hub : attached_)
    metrics_.SetHubNodes(hub, static_cast<double>(sessions_.connected_to(hub)));
}

void HubSet::OnFrame(const std::string& hub, const cloudhub::v1::HubFrame& frame) {
  if (attached_.count(hub) == 0) return;
  switch (frame.body_case()) {
    case cloudhub::v1::HubFrame::kNodeConnected:
      return OnConnected(hub, frame.node_connected());
    case cloudhub::v1::HubFrame::kNodeDisconnected:
      return OnDisconnected(hub, frame.node_disconnected());
    case cloudhub::v1::HubFrame::kSubscribed:
      return pusher_.Subscribed(hub, frame.subscribed());
    case cloudhub::v1::HubFrame::kUnsubscribed:
      return pusher_.Unsubscribed(hub, frame.unsubscribed());
    case cloudhub::v1::HubFrame::kPushDone:
      return pusher_.PushDone(hub, frame.push_done());
    case cloudhub::v1::HubFrame::kReport:
      return listener_.OnReport(hub, frame.report());
    case cloudhub::v1::HubFrame::kEvents:
      return listener_.OnEvents(hub, frame.events());
    case cloudhub::v1::HubFrame::kNodesSynced:
    case cloudhub::v1::HubFrame::kRegistered:
      return;
    case cloudhub::v1::HubFrame::BODY_NOT_SET:
      metrics_.FrameDropped("malformed").Increment();  // Or of a newer hub.
      return;
  }
}

void HubSet::OnConnected(const std::string& hub, const cloudhub::v1::NodeConnected& frame) {
  const std::string& node = frame.session().node();
  if (!sessions_.Connect(hub, node, frame.session().epoch(), clock_.Monotonic(),
                         frame.event_store_id())) {
    metrics_.FrameDropped("stale_session").Increment();
    return;
  }
  log_.Info("node connected", {{"node", node}, {"hub", hub}, {"epoch", frame.session().epoch()}});
  pusher_.NodeConnected(hub, node, frame.session().epoch());
  listener_.OnNodeConnected(node);
  CountNodes();
}

void HubSet::OnDisconnected(const std::string& hub, const cloudhub::v1::NodeDisconnected& frame) {
  const std::string& node = frame.session().node();
  pusher_.NodeDisconnected(hub, node, frame.session().epoch());
  if (!sessions_.Disconnect(hub, node, frame.session().epoch(), clock_.Monotonic())) return;
  log_.Info("node disconnected", {{"node", node}, {"hub", hub}, {"reason", frame.reason()}});
  listener_.OnNodeGone(node);
  CountNodes();
}

}  // namespace skerry::cloudspoke
