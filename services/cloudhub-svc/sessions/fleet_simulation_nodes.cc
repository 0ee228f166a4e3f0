// The nodes of the fleet and their lines.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/sessions/fleet_simulation.h"
#include "services/lib/link/frames.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;
namespace edge = link::edge;

namespace {

constexpr char kType[] = "pods";

}  // namespace

uint64_t FleetSimulation::Dial(size_t node) {
  std::vector<uint64_t> older;
  for (const auto& [id, connection] : connections_) {
    if (connection.node == node && !connection.session->open()) older.push_back(id);
  }
  for (uint64_t id : older) Feed(id, cloud::Superseded{});
  const uint64_t id = ++last_connection_;
  nodes_[node].connection = id;
  Connection& connection = connections_[id];
  connection.node = node;
  connection.session = std::make_unique<link::CloudSession>(session_config_, now_);
  Feed(id, cloud::SpokeAttached{1, {kType}, {}, {}});
  return id;
}

void FleetSimulation::FeedEdge(size_t index, edge::Event event) {
  Node& node = nodes_[index];
  for (edge::Effect& effect : node.machine->Step(std::move(event), now_)) {
    if (auto* dial = std::get_if<edge::Dial>(&effect)) {
      node.dialled = dial->connection;
      Dial(index);
    } else if (auto* send = std::get_if<edge::Send>(&effect)) {
      auto it = connections_.find(node.connection);
      if (it != connections_.end()) it->second.up.push_back(std::move(send->frame));
    } else if (auto* close = std::get_if<edge::CloseLink>(&effect)) {
      if (link::IsViolation(close->status)) Fail(std::string(close->status.message()));
      Hangup(index);
    } else if (auto* message = std::get_if<edge::ToSpoke>(&effect)) {
      Apply(index, message->message);
    }
  }
}

void FleetSimulation::Apply(size_t index, edge::SpokeMessage& message) {
  Node& node = nodes_[index];
  if (auto* request = std::get_if<edge::SubscribeRequest>(&message)) {
    link::Subscribe answer{kType, request->subscription_id, {}, false};
    for (const auto& [key, version] : node.store) answer.holdings.push_back({key, version});
    FeedEdge(index, edge::SpokeSubscribe{1, std::move(answer)});
  } else if (auto* change = std::get_if<link::ResourceChange>(&message)) {
    if (change->change.kind == link::Change::Kind::kUpsert)
      node.store[change->change.key] = change->change.version;
    FeedEdge(index, edge::ResourceDone{1, {kType, change->subscription_id, change->sequence, {}}});
  }
}

void FleetSimulation::Move(size_t index) {
  Node& node = nodes_[index];
  Take(node.connection);
  while (true) {
    auto it = connections_.find(node.connection);
    if (it == connections_.end()) return;
    if (it->second.down.empty()) {
      if (std::exchange(it->second.drain_awaited, false))
        Post(it->first, 0, [this, id = it->first] { Feed(id, cloud::Drained{}); });
      return;
    }
    if (node.kind == Kind::kDeaf || (node.kind == Kind::kSlow && Random(4) != 0)) return;
    link::CloudFrame frame = std::move(it->second.down.front());
    it->second.down.pop_front();
    if (node.machine != nullptr)
      FeedEdge(index, edge::FrameReceived{node.dialled, std::move(frame)});
    if (node.kind == Kind::kSlow) return;
  }
}

void FleetSimulation::BeHostile(size_t index) {
  Node& node = nodes_[index];
  if (now_ < node.hostile_at) return;
  auto it = connections_.find(node.connection);
  if (it == connections_.end()) {
    // Without regard to any ticket.
    node.hostile_at = now_ + absl::Milliseconds(static_cast<int64_t>(Random(200)));
    link::Hello hello;
    hello.protocol_version = link::kProtocolVersion;
    connections_.at(Dial(index)).up.push_back(std::move(hello));
    return;
  }
  if (node.kind == Kind::kDialler) return Hangup(index);
  if (!it->second.session->open()) return;
  std::deque<link::EdgeFrame>& up = it->second.up;
  ++seen_["hostile"];
  if (node.kind == Kind::kFlood) {
    // Each is answered.
    while (up.size() < 200) up.push_back(link::Heartbeat{absl::Seconds(5)});
  } else if (node.kind == Kind::kDeaf) {
    node.hostile_at = now_ + absl::Seconds(1);
    up.push_back(link::Subscribe{kType, ++last_subscription_, {}, false});
  } else if (const uint64_t dice = Random(4); dice == 0) {
    up.push_back(link::ResourceAck{kType, 99'999'999, 5, {}});
  } else if (dice == 1) {
    up.push_back(link::Hello{});
  } else if (dice == 2) {
    up.push_back(link::Compressed{link::Rank::kSync, 1 << 20, std::string(20'000, 'x')});
  } else {
    while (up.size() < 300)
      up.push_back(link::Chunk{link::Rank::kBulk, std::string(link::kChunkBytesMax, 'x'), false});
  }
}

void FleetSimulation::Hangup(size_t index) {
  const uint64_t id = std::exchange(nodes_[index].connection, 0);
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  it->second.up.clear();
  Post(id, 0, [this, id] { Feed(id, cloud::LinkClosed{}); });
}

}  // namespace skerry::cloudhub
