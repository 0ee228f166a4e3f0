#include "services/lib/cloudspoke/pusher.h"

#include <algorithm>
#include <utility>

namespace skerry::cloudspoke {
namespace {

using cloudhub::v1::SpokeFrame;

constexpr size_t kHighWaterBytes = 1u << 20;     // Beyond, the hub gets no more until it has read.
constexpr size_t kPushesPerTurn = 256;           // Then frames from hubs and informers get theirs.
constexpr int64_t kTurnBytes = 64 << 10;         // Of a node; who had more sits out.
constexpr size_t kHoldingsMax = 50'000;          // Of one type and node.
constexpr size_t kObjectBytesMax = 1536u << 10;  // The link's bound, and about that of Kubernetes.

}  // namespace

Pusher::Pusher(Options options, exec::SerialExecutor& executor, PushSource& source,
               HubMetrics& metrics, log::Logger log)
    : options_(std::move(options)),
      executor_(executor),
      source_(source),
      metrics_(metrics),
      log_(std::move(log)) {}

bool Pusher::IsServed(absl::string_view type) const {
  return std::any_of(options_.types.begin(), options_.types.end(),
                     [type](const std::string& known) { return type == known; });
}

void Pusher::Touch(const std::string& node_name, const std::string& type, const std::string& key) {
  const auto where = node_hubs_.find(node_name);
  if (where == node_hubs_.end()) return;
  const bool needed = source_.Needs(node_name, type, key);
  for (const std::string& hub_name : where->second) {
    Hub& hub = hubs_.at(hub_name);
    Node& node = hub.nodes.at(node_name);
    const auto subscription = node.subscriptions.find(type);
    if (subscription == node.subscriptions.end()) continue;
    subscription->second.Touch(key, needed);
    Queue(hub_name, hub, node_name, node);
  }
}

void Pusher::HubAttached(const std::string& hub, HubLink& link) {
  HubLost(hub);
  hubs_[hub].link = &link;
}

void Pusher::HubLost(const std::string& hub) {
  const auto it = hubs_.find(hub);
  if (it == hubs_.end()) return;
  for (const auto& [node, state] : it->second.nodes) {
    std::vector<std::string>& hubs = node_hubs_[node];
    hubs.erase(std::remove(hubs.begin(), hubs.end(), hub), hubs.end());
    if (hubs.empty()) node_hubs_.erase(node);
  }
  hubs_.erase(it);
}

void Pusher::NodeConnected(const std::string& hub_name, const std::string& node_name,
                           uint64_t epoch) {
  Hub& hub = hubs_[hub_name];
  auto [it, inserted] = hub.nodes.try_emplace(node_name);
  if (inserted) node_hubs_[node_name].push_back(hub_name);
  it->second.epoch = epoch;
  it->second.subscriptions.clear();
}

void Pusher::NodeDisconnected(const std::string& hub_name, const std::string& node_name,
                              uint64_t epoch) {
  const auto hub = hubs_.find(hub_name);
  if (hub == hubs_.end()) return;
  const auto node = hub->second.nodes.find(node_name);
  if (node == hub->second.nodes.end() || node->second.epoch != epoch) return;
  hub->second.nodes.erase(node);
  std::vector<std::string>& hubs = node_hubs_[node_name];
  hubs.erase(std::remove(hubs.begin(), hubs.end(), hub_name), hubs.end());
  if (hubs.empty()) node_hubs_.erase(node_name);
}

Pusher::Node* Pusher::Current(const std::string& hub_name,
                              const cloudhub::v1::NodeSession& session) {
  const auto hub = hubs_.find(hub_name);
  if (hub != hubs_.end()) {
    const auto node = hub->second.nodes.find(session.node());
    if (node != hub->second.nodes.end() && node->second.epoch == session.epoch())
      return &node->second;
  }
  metrics_.FrameDropped("stale_session").Increment();
  return nullptr;
}

void Pusher::Subscribed(const std::string& hub_name, const cloudhub::v1::Subscribed& frame) {
  Node* node = Current(hub_name, frame.session());
  if (node == nullptr) return;
  if (!IsServed(frame.type())) {
    metrics_.FrameDropped("unknown_type").Increment();
    return;
  }
  auto it = node->subscriptions.find(frame.type());
  if (it != node->subscriptions.end() &&
      (it->second.id() != frame.subscription_id() || it->second.begun())) {
    node->subscriptions.erase(it);
    it = node->subscriptions.end();
  }
  if (it == node->subscriptions.end()) {
    it = node->subscriptions.emplace(frame.type(), Subscription(frame.subscription_id())).first;
  }
  for (const auto& holding : frame.holdings()) {
    if (it->second.AddHolding(holding.key(), holding.version(), kHoldingsMax)) continue;
    metrics_.FrameDropped("holdings_bound").Increment();
    log_.Error("node holds more objects than is allowed, not served",
               {{"node", frame.session().node()}, {"type", frame.type()}});
    node->subscriptions.erase(it);
    return;
  }
  if (frame.more()) return;
  it->second.Begin(source_.KeysNeeded(frame.session().node(), frame.type()));
  Queue(hub_name, hubs_.at(hub_name), frame.session().node(), *node);
}

void Pusher::Unsubscribed(const std::string& hub_name, const cloudhub::v1::Unsubscribed& frame) {
  Node* node = Current(hub_name, frame.session());
  if (node == nullptr) return;
  const auto it = node->subscriptions.find(frame.type());
  if (it != node->subscriptions.end() && it->second.id() == frame.subscription_id())
    node->subscriptions.erase(it);
}

void Pusher::PushDone(const std::string& hub_name, const cloudhub::v1::PushDone& frame) {
  if (Current(hub_name, frame.session()) == nullptr) return;
  for (const auto& item : frame.items()) {
    if (item.status().code() == 0) continue;
    metrics_.pushes_rejected.Increment();
    log_.Warning("edge node refused an object", {{"node", frame.session().node()},
                                                 {"type", frame.type()},
                                                 {"key", item.key()},
                                                 {"error", item.status().message()}});
    source_.Refused(frame.session().node(), frame.type(), item.key(), item.status().message());
  }
}

// ---- Sending.

void Pusher::Queue(const std::string& hub_name, Hub& hub, const std::string& node_name,
                   Node& node) {
  if (!node.queued) {
    node.queued = true;
    hub.turns.push_back(node_name);
  }
  SchedulePump(hub_name, hub);
}

void Pusher::SchedulePump(const std::string& hub_name, Hub& hub) {
  if (hub.pumping) return;
  hub.pumping = true;
  executor_.Post([this, hub_name] { Pump(hub_name); });
}

void Pusher::Drained(const std::string& hub_name) {
  const auto it = hubs_.find(hub_name);
  if (it != hubs_.end() && !it->second.turns.empty()) SchedulePump(hub_name, it->second);
}

void Pusher::Pump(const std::string& hub_name) {
  const auto it = hubs_.find(hub_name);
  if (it == hubs_.end()) return;
  Hub& hub = it->second;
  hub.pumping = false;
  for (size_t i = 0; i < kPushesPerTurn; ++i) {
    if (hub.turns.empty() || hub.link == nullptr || hub.link->pending_bytes() >= kHighWaterBytes)
      return;
    const std::string node_name = std::move(hub.turns.front());
    hub.turns.pop_front();
    const auto node = hub.nodes.find(node_name);
    if (node == hub.nodes.end()) continue;
    int64_t& credit = node->second.credit;
    credit = std::min(credit + kTurnBytes, kTurnBytes);
    if (credit <= 0) {
      hub.turns.push_back(node_name);
      continue;
    }
    node->second.queued = false;
    SendNext(hub, node_name, node->second);
  }
  if (!hub.turns.empty()) SchedulePump(hub_name, hub);
}

void Pusher::SendNext(Hub& hub, const std::string& node_name, Node& node) {
  const auto first = node.subscriptions.find(options_.first_removed);
  if (first != node.subscriptions.end() && first->second.HasUnneeded() &&
      SendOf(hub, node_name, node, first->first, first->second)) {
    return;
  }
  for (const std::string& type : options_.types) {
    const auto it = node.subscriptions.find(type);
    if (it == node.subscriptions.end() || !it->second.HasWork()) continue;
    if (SendOf(hub, node_name, node, type, it->second)) return;
  }
}

bool Pusher::SendOf(Hub& hub, const std::string& node_name, Node& node, const std::string& type,
                    Subscription& subscription) {
  const std::optional<Push> push = subscription.Next(
      [&](const std::string& key) { return source_.Lookup(node_name, type, key); });
  if (!push.has_value()) return false;
  SendPush(hub, node_name, node, type, subscription.id(), *push);
  node.queued = true;  // Again, behind the others.
  hub.turns.push_back(node_name);
  return true;
}

void Pusher::SendPush(Hub& hub, const std::string& node_name, Node& node, const std::string& type,
                      uint64_t id, const Push& push) {
  if (push.object.has_value() && push.object->text().size() > kObjectBytesMax) {
    metrics_.pushes_rejected.Increment();
    source_.TooLarge(node_name, *push.object, kObjectBytesMax);
    return;
  }
  SpokeFrame frame;
  auto* out = frame.mutable_push();
  out->mutable_session()->set_node(node_name);
  out->mutable_session()->set_epoch(node.epoch);
  out->set_type(type);
  out->set_subscription_id(id);
  switch (push.kind) {
    case Push::Kind::kUpsert:
      out->mutable_upsert()->set_key(push.key);
      out->mutable_upsert()->set_version(push.version);
      out->mutable_upsert()->set_object(push.object->text());
      node.credit -= static_cast<int64_t>(push.object->text().size());
      metrics_.Push("upsert").Increment();
      metrics_.push_bytes.Increment(static_cast<double>(push.object->text().size()));
      break;
    case Push::Kind::kDelete:
      out->mutable_delete_()->set_key(push.key);
      metrics_.Push("delete").Increment();
      break;
    case Push::Kind::kSynced:
      out->mutable_synced();
      metrics_.Push("synced").Increment();
      break;
  }
  hub.link->Send(std::move(frame));  // A stream that has ended is reported by its end.
}

}  // namespace skerry::cloudspoke
