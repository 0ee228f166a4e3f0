#include "services/cloudhub-svc/sessions/fleet_simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/frames.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;
namespace edge = link::edge;

namespace {

constexpr char kType[] = "pods";
constexpr link::SpokeId kOwner = 1;
constexpr int kObjects = 12;
constexpr size_t kObjectBytes = 10'000;
constexpr absl::Duration kStep = absl::Milliseconds(10);
constexpr double kBytesPerSecond = 20e6;  // Of the hub's thread.
constexpr size_t kTaskBytes = 64;         // What every task costs.
// As LinkService takes them (link-7.3).
constexpr size_t kAheadMax = 8;
// link-7.8: what one frame makes the hub do.
constexpr size_t kFrameWorkMax =
    link::kFrameBytesMax + link::kTransportUnsentBytesMax + link::kChunkBytesMax + 4096;

}  // namespace

FleetSimulation::FleetSimulation(uint64_t seed, size_t nodes, size_t hostile) : rng_(seed) {
  gate_config_.syncs_max = 4;
  gate_config_.waiting_max = 8;
  gate_config_.seed = seed;
  gate_ = std::make_unique<Admission>(gate_config_);
  for (size_t i = 0; i < nodes; ++i) {
    Node& node = nodes_.emplace_back();
    node.name = absl::StrCat("node-", i);
    if (i < hostile) {
      constexpr Kind kHostile[] = {Kind::kDeaf, Kind::kFlood, Kind::kGarbage, Kind::kDialler};
      node.kind = kHostile[i % 4];
    } else if (i % 8 == 7) {
      node.kind = Kind::kSlow;
    }
  }
  for (size_t i = hostile; i < nodes; ++i) {
    link::EdgeSession::Config config;
    config.hello.protocol_version = link::kProtocolVersion;
    config.seed = rng_();
    nodes_[i].machine = std::make_unique<link::EdgeSession>(config);
    FeedEdge(i, edge::SpokeAttached{1, {kType}, {}});
    FeedEdge(i, edge::Start{});
  }
}

void FleetSimulation::Run(absl::Duration time) {
  for (const absl::Duration end = now_ + time; now_ < end && failure_.empty(); now_ += kStep) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].machine == nullptr) {
        BeHostile(i);
      } else if (nodes_[i].machine->NextWake() <= now_) {
        FeedEdge(i, edge::Tick{});
      }
      Move(i);
    }
    RunTasks();
    Hear(gate_->Tick(now_));
    std::vector<uint64_t> ids;
    for (const auto& [id, connection] : connections_) {
      if (connection.session->NextWake() <= now_) ids.push_back(id);
    }
    for (uint64_t id : ids) Feed(id, cloud::Tick{});
    if (gate_->syncs() > gate_config_.syncs_max) Fail("too many sync at a time");
  }
}

void FleetSimulation::Storm() {
  tickets_.clear();
  tasks_.clear();
  connections_.clear();
  at_gate_.clear();
  current_.clear();
  gate_ = std::make_unique<Admission>(gate_config_);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.came = 0;
    node.connection = 0;
    node.store.clear();  // So that each has everything to fetch.
    if (node.machine == nullptr) continue;
    FeedEdge(i, edge::LinkClosed{node.dialled, absl::UnavailableError("the hub died")});
  }
}

void FleetSimulation::CheckInSync() {
  for (const Node& node : nodes_) {
    if (node.machine == nullptr) continue;
    if (!node.machine->connected()) Fail(absl::StrCat(node.name, " is not connected"));
    if (node.store.size() != kObjects || !node.machine->types().front().synced)
      Fail(absl::StrCat(node.name, " has ", node.store.size(), " objects"));
  }
}

// ---- the hub's thread ----

void FleetSimulation::Post(uint64_t connection, size_t bytes, std::function<void()> run,
                           bool frame) {
  Task task{connection, bytes, frame, {}, std::move(run)};
  if (frame) {
    for (const Node& node : nodes_) task.turns.push_back(node.turns);
  }
  tasks_.push_back(std::move(task));
}

void FleetSimulation::RunTasks() {
  busy_until_ = std::max(busy_until_, now_);
  while (!tasks_.empty() && busy_until_ < now_ + kStep) {
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    CheckWait(task);
    const size_t before = worked_;
    worked_ += kTaskBytes + task.bytes;
    task.run();
    const size_t work = worked_ - before;
    if (work > kFrameWorkMax + kTaskBytes)
      Fail(absl::StrCat("one frame makes the hub handle ", work, " bytes"));
    busy_until_ += absl::Seconds(static_cast<double>(work) / kBytesPerSecond);
  }
}

// link-7.8: between two turns of a node each other one had as many as may be taken ahead of it.
void FleetSimulation::CheckWait(const Task& task) {
  auto it = connections_.find(task.connection);
  if (it == connections_.end() || !task.frame) return;
  ++nodes_[it->second.node].turns;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const uint64_t turns = nodes_[i].turns - task.turns[i];
    // Its connection may be a new one, with what was taken of the old one before.
    if (i != it->second.node && turns > 2 * kAheadMax)
      Fail(absl::StrCat(nodes_[i].name, " has ", turns, " turns in one of another"));
  }
}

void FleetSimulation::Take(uint64_t id) {
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = it->second;
  while (connection.ahead < kAheadMax && !connection.up.empty()) {
    ++connection.ahead;
    auto frame = std::make_shared<link::EdgeFrame>(std::move(connection.up.front()));
    connection.up.pop_front();
    Post(
        id, link::FrameBytes(*frame),
        [this, id, frame] {
          Feed(id, cloud::FrameReceived{std::move(*frame)});
          auto kept = connections_.find(id);
          if (kept == connections_.end()) return;
          --kept->second.ahead;
          Take(id);
        },
        /*frame=*/true);
  }
}

void FleetSimulation::Feed(uint64_t id, cloud::Event event) {
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  for (cloud::Effect& effect : it->second.session->Step(std::move(event), now_))
    Perform(id, effect);
  it = connections_.find(id);
  if (it == connections_.end()) return;
  if (!it->second.session->closed()) return UpdateSync(id);
  const size_t node = it->second.node;
  ++seen_[it->second.session->epoch() == 0 ? "connection ended before its session"
                                           : "session ended"];
  Leave(it->second);
  if (auto current = current_.find(node); current != current_.end() && current->second == id)
    current_.erase(current);
  // What was sent before arrives, if the node reads.
  std::deque<link::CloudFrame> rest = std::move(it->second.down);
  connections_.erase(it);
  Node& owner = nodes_[node];
  if (owner.connection != id) return;
  owner.connection = 0;
  if (owner.machine == nullptr) return;
  const uint64_t dialled = owner.dialled;
  for (link::CloudFrame& frame : rest)
    FeedEdge(node, edge::FrameReceived{dialled, std::move(frame)});
  FeedEdge(node, edge::LinkClosed{dialled, absl::UnavailableError("the hub closed")});
}

void FleetSimulation::Perform(uint64_t id, cloud::Effect& effect) {
  Connection& connection = connections_.at(id);
  if (std::holds_alternative<cloud::Admit>(effect)) {
    Node& node = nodes_[connection.node];
    if (node.came == 0) node.came = ++last_came_;
    connection.gate = ++last_gate_;
    at_gate_[connection.gate] = id;
    Hear(gate_->Arrive(connection.gate, node.name, now_));
  } else if (auto* send = std::get_if<cloud::Send>(&effect)) {
    worked_ += link::FrameBytes(send->frame);
    connection.down.push_back(std::move(send->frame));
  } else if (std::holds_alternative<cloud::AwaitDrained>(effect)) {
    connection.drain_awaited = true;
  } else if (std::holds_alternative<cloud::AwaitSync>(effect)) {
    if (connection.gate != 0 && gate_->HasPlace(connection.gate))
      return Post(id, 0, [this, id] { Feed(id, cloud::SyncTurn{}); });
    connection.gate = ++last_gate_;
    at_gate_[connection.gate] = id;
    Hear(gate_->AwaitSync(connection.gate, now_));
  } else if (auto* message = std::get_if<cloud::ToSpoke>(&effect)) {
    if (auto* subscribed = std::get_if<cloud::Subscribed>(&message->message);
        subscribed != nullptr && !subscribed->subscribe.more)
      Answer(id, subscribed->subscribe);
  }
}

// The controller's answer: each of its messages is a task.
void FleetSimulation::Answer(uint64_t id, const link::Subscribe& subscribe) {
  for (int i = 0; i <= kObjects; ++i) {
    link::Change change{link::Change::Kind::kSynced, "", "", ""};
    if (i < kObjects) {
      change = {link::Change::Kind::kUpsert, absl::StrCat("default/p", i), "1",
                std::string(kObjectBytes, 'x')};
    }
    Post(id, change.object.size(), [this, id, subscription = subscribe.subscription_id, change] {
      Feed(id, cloud::Push{kOwner, kType, subscription, change});
    });
  }
}

void FleetSimulation::Hear(const std::vector<Admission::Verdict>& verdicts) {
  for (const Admission::Verdict& verdict : verdicts) {
    auto it = at_gate_.find(verdict.id);
    if (it == at_gate_.end()) continue;
    const uint64_t id = it->second;
    at_gate_.erase(it);
    if (!verdict.admitted) {
      ++seen_["ticket"];
      if (!tickets_.insert(verdict.retry_after).second) ++seen_["equal tickets"];
    }
    if (verdict.admitted) LetIn(id);
    Post(id, 0, [this, id, verdict] {
      auto kept = connections_.find(id);
      if (kept == connections_.end() || kept->second.gate != verdict.id) return;
      if (kept->second.session->open()) return Feed(id, cloud::SyncTurn{});
      if (!verdict.admitted) {
        return Feed(id, cloud::Refused{absl::ResourceExhaustedError("too many"), "OVERLOADED",
                                       verdict.retry_after});
      }
      const size_t node = kept->second.node;
      if (auto old = current_.find(node); old != current_.end())
        Feed(uint64_t{old->second}, cloud::Fence{});
      current_[node] = id;
      Feed(id, cloud::Admitted{++last_epoch_, absl::UnixEpoch() + now_});
    });
  }
}

// L5: the places are in the order in which nodes came first, of those that wait.
void FleetSimulation::LetIn(uint64_t id) {
  Connection& connection = connections_.at(id);
  Node& node = nodes_[connection.node];
  if (connection.session->open()) return;
  for (const auto& [gate, other] : at_gate_) {
    const Connection& waiting = connections_.at(other);
    if (!waiting.session->open() && nodes_[waiting.node].came < node.came &&
        waiting.node != connection.node)
      Fail(absl::StrCat(node.name, " is let in before ", nodes_[waiting.node].name));
  }
  node.came = 0;
  ++seen_["let in"];
}

void FleetSimulation::UpdateSync(uint64_t id) {
  Connection& connection = connections_.at(id);
  if (connection.gate == 0 || !connection.session->open()) return;
  const link::CloudSession::Sync sync = connection.session->sync();
  if (sync == link::CloudSession::Sync::kUnderWay) gate_->Begin(connection.gate, now_);
  if (sync == link::CloudSession::Sync::kDone) Leave(connection);
}

void FleetSimulation::Leave(Connection& connection) {
  if (connection.gate == 0) return;
  at_gate_.erase(connection.gate);
  Hear(gate_->Leave(std::exchange(connection.gate, 0), now_));
}

void FleetSimulation::Fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

}  // namespace skerry::cloudhub
