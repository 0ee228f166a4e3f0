#include "services/cloudhub-svc/sessions/session_hub.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

bool Overlaps(const std::set<std::string>& owned, const std::vector<std::string>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const std::string& type) { return owned.count(type) != 0; });
}

}  // namespace

SessionHub::SessionHub(Config config, NodeRecords& records, CommandStore& commands, Clock& clock,
                       CloudHubMetrics& metrics, log::Logger log)
    : config_(std::move(config)),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      dials_(config_.dials),
      gate_(config_.admission, clock, metrics) {
  for (int i = 0; i < config_.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(
        absl::StrCat(i), Shard::Deps{config_.session, records, gate_, commands, config_.commands,
                                     clock, metrics, log}));
  }
}

SessionHub::~SessionHub() { Stop(); }

Shard& SessionHub::ShardOf(absl::string_view node) {
  return *shards_[absl::Hash<absl::string_view>{}(node) % shards_.size()];
}

absl::StatusOr<SessionHub::Connection> SessionHub::Open(LinkingBox box, const std::string& peer,
                                                        std::shared_ptr<NodeLink> link) {
  if (!dials_.Allow(box.node.value(), clock_.Monotonic())) {
    metrics_.Refused("DIALS_TOO_OFTEN");
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("node ", box.node.value(), " dials more often than twice a second"))
        .Reason("DIALS_TOO_OFTEN");
  }
  if (connections_.fetch_add(1) >= config_.connections_max) {
    connections_.fetch_sub(1);
    metrics_.Refused("OVERLOADED");
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("this hub has ", config_.connections_max, " connections already"))
        .Reason("OVERLOADED");
  }
  metrics_.Connections(1);
  Shard& shard = ShardOf(box.node.value());
  return Connection{&shard, shard.Open(std::move(box), peer, std::move(link))};
}

void SessionHub::Frame(const Connection& connection, link::EdgeFrame frame,
                       absl::AnyInvocable<void()> after) {
  connection.shard->Frame(connection.session, std::move(frame), std::move(after));
}

void SessionHub::Invalid(const Connection& connection, absl::Status violation) {
  connection.shard->Invalid(connection.session, std::move(violation));
}

void SessionHub::Closed(const Connection& connection) {
  connections_.fetch_sub(1);
  metrics_.Connections(-1);
  connection.shard->Closed(connection.session);
}

link::SpokeId SessionHub::Attach(absl::string_view name, std::vector<std::string> resource_types,
                                 std::vector<std::string> report_types,
                                 std::shared_ptr<SpokeLink> link,
                                 std::vector<std::string> event_streams) {
  absl::MutexLock lock(&mutex_);
  std::vector<link::SpokeId> replaced;
  for (const auto& [id, spoke] : spokes_) {
    if (Overlaps(spoke.resource_types, resource_types) ||
        Overlaps(spoke.report_types, report_types) ||
        Overlaps(spoke.event_streams, event_streams)) {
      replaced.push_back(id);
    }
  }
  for (link::SpokeId id : replaced) {
    log_.Info("spoke replaced", {{"spoke", spokes_.at(id).name}, {"by", name}});
    spokes_.at(id).link->Close(
        Error(absl::StatusCode::kAborted, absl::StrCat(name, " registered a type of this spoke"))
            .Reason("SPOKE_REPLACED"));
    DetachLocked(id);
  }

  const link::SpokeId id = ++last_spoke_;
  spokes_[id] = {std::string(name),
                 {resource_types.begin(), resource_types.end()},
                 {report_types.begin(), report_types.end()},
                 {event_streams.begin(), event_streams.end()},
                 link};
  metrics_.Spokes(1);
  log_.Info("spoke attached", {{"spoke", name}});
  auto waiting = std::make_shared<std::atomic<size_t>>(shards_.size());
  for (const std::unique_ptr<Shard>& shard : shards_) {
    shard->Attach({id, resource_types, report_types, event_streams, link}, [waiting, link] {
      if (waiting->fetch_sub(1) == 1) link->SendNodesSynced();
    });
  }
  return id;
}

void SessionHub::Detach(link::SpokeId spoke) {
  absl::MutexLock lock(&mutex_);
  DetachLocked(spoke);
}

void SessionHub::DetachLocked(link::SpokeId spoke) {
  auto it = spokes_.find(spoke);
  if (it == spokes_.end()) return;
  log_.Info("spoke detached", {{"spoke", it->second.name}});
  spokes_.erase(it);
  metrics_.Spokes(-1);
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Detach(spoke);
}

void SessionHub::ToNode(const std::string& node, uint64_t epoch, link::cloud::Event event,
                        absl::AnyInvocable<void()> after) {
  ShardOf(node).ToNode(node, epoch, std::move(event), std::move(after));
}

void SessionHub::FenceBelow(const NodeName& node, uint64_t epoch) {
  ShardOf(node.value()).FenceBelow(node, epoch);
}

void SessionHub::End(const NodeName& node, absl::Status status) {
  ShardOf(node.value()).End(node, std::move(status));
}

std::function<void(link::tunnel::UserEvent)> SessionHub::OpenTunnel(
    const std::string& node, const std::string& type, const std::string& target,
    std::shared_ptr<link::tunnel::UserPort> port) {
  Shard& shard = ShardOf(node);
  return [&shard, tunnel = shard.OpenTunnel(node, type, target, std::move(port))](
             link::tunnel::UserEvent event) { shard.FromTunnel(tunnel, std::move(event)); };
}

void SessionHub::SendCommand(CommandInfo info, std::shared_ptr<CommandWatcher> watcher) {
  Shard& shard = ShardOf(info.command.node);
  shard.SendCommand(std::move(info), std::move(watcher));
}

absl::StatusOr<CommandInfo> SessionHub::FindCommand(const std::string& node,
                                                    const std::string& key) {
  return ShardOf(node).FindCommand(node, key);
}

absl::StatusOr<std::vector<CommandInfo>> SessionHub::ListCommands(const std::string& node,
                                                                  const std::string& after,
                                                                  size_t count_max) {
  return ShardOf(node).ListCommands(node, after, count_max);
}

absl::StatusOr<CommandInfo> SessionHub::CancelCommand(const std::string& node,
                                                      const std::string& key) {
  return ShardOf(node).CancelCommand(node, key);
}

void SessionHub::ReloadCommands(const std::string& node) { ShardOf(node).ReloadCommands(node); }

void SessionHub::ReloadAllCommands() {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->ReloadAllCommands();
}

std::vector<SessionInfo> SessionHub::Sessions() {
  std::vector<SessionInfo> sessions;
  for (const std::unique_ptr<Shard>& shard : shards_) {
    std::vector<SessionInfo> part = shard->Sessions();
    std::move(part.begin(), part.end(), std::back_inserter(sessions));
  }
  std::sort(sessions.begin(), sessions.end(),
            [](const SessionInfo& a, const SessionInfo& b) { return a.node < b.node; });
  return sessions;
}

void SessionHub::StartDrain(double nodes_per_second) {
  const absl::Duration pause =
      absl::Seconds(static_cast<double>(shards_.size()) / nodes_per_second);
  for (const std::unique_ptr<Shard>& shard : shards_) shard->StartDrain(pause);
}

void SessionHub::StopDrain() {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->StopDrain();
}

HubState SessionHub::State() {
  HubState state;
  for (const std::unique_ptr<Shard>& shard : shards_) shard->AddState(state);
  return state;
}

void SessionHub::Drain(absl::Duration retry_after) {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Drain(retry_after);
  // The shards tell the spokes first that the nodes are gone.
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Sessions();
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, spoke] : spokes_) {
    spoke.link->Close(
        Error(absl::StatusCode::kUnavailable, "the hub is draining").Reason("DRAINING"));
  }
}

void SessionHub::Settle() {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Settle();
}

void SessionHub::Stop() {
  for (const std::unique_ptr<Shard>& shard : shards_) shard->Stop();
}

}  // namespace skerry::cloudhub
