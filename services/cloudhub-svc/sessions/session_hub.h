// All sessions of this hub, and the spokes that they talk to.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/core/admission.h"
#include "services/cloudhub-svc/core/rate_limiter.h"
#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/cloudhub-svc/sessions/ports.h"
#include "services/cloudhub-svc/sessions/shard.h"
#include "services/cloudhub-svc/sessions/sync_gate.h"
#include "services/lib/base/clock.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::cloudhub {

// Spreads nodes over shards by their name and keeps who owns which type. Any thread may call it;
// nothing but Sessions(), State(), Drain(), Settle(), Stop() and what asks for commands waits.
// What it is given outlives it. Stop it after the servers whose streams call it.
class SessionHub {
 public:
  struct Config {
    link::CloudSession::Config session;
    Admission::Config admission;
    // What one node may dial, however its sessions go.
    RateLimiter::Options dials = {.burst = 60, .per_second = 2, .remotes_max = 1 << 16};
    CommandDesk::Config commands;
    int shards = 2;
    int connections_max = 20000;
  };
  // A connection of a node. Dropping it does nothing: Closed ends it.
  struct Connection {
    Shard* shard = nullptr;
    std::shared_ptr<NodeSession> session;
  };

  SessionHub(Config config, NodeRecords& records, CommandStore& commands, Clock& clock,
             CloudHubMetrics& metrics, log::Logger log);
  ~SessionHub();

  // RESOURCE_EXHAUSTED / OVERLOADED when there are too many connections, DIALS_TOO_OFTEN when the
  // node makes too many.
  absl::StatusOr<Connection> Open(LinkingBox box, const std::string& peer,
                                  std::shared_ptr<NodeLink> link);
  void Frame(const Connection& connection, link::EdgeFrame frame, absl::AnyInvocable<void()> after);
  void Invalid(const Connection& connection, absl::Status violation);
  // Once per Open.
  void Closed(const Connection& connection);

  // Ends the spokes that own any of these types (ABORTED / SPOKE_REPLACED), then announces the
  // nodes.
  link::SpokeId Attach(absl::string_view name, std::vector<std::string> resource_types,
                       std::vector<std::string> report_types, std::shared_ptr<SpokeLink> link,
                       std::vector<std::string> event_streams = {});
  void Detach(link::SpokeId spoke);
  // `after` runs when the event has been dealt with, or dropped because `epoch` is not the node's.
  void ToNode(const std::string& node, uint64_t epoch, link::cloud::Event event,
              absl::AnyInvocable<void()> after);

  // Another replica has admitted the node with `epoch`: ends its sessions of lower ones.
  void FenceBelow(const NodeName& node, uint64_t epoch);
  // Ends what the node has open, if anything, with `status`.
  void End(const NodeName& node, absl::Status status);
  // A tunnel to the node; `port` hears what becomes of it, to its End. The user's words go to what
  // is returned, any thread.
  std::function<void(link::tunnel::UserEvent)> OpenTunnel(
      const std::string& node, const std::string& type, const std::string& target,
      std::shared_ptr<link::tunnel::UserPort> port);

  // As of Shard.
  void SendCommand(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  absl::StatusOr<CommandInfo> FindCommand(const std::string& node, const std::string& key);
  absl::StatusOr<std::vector<CommandInfo>> ListCommands(const std::string& node,
                                                        const std::string& after, size_t count_max);
  absl::StatusOr<CommandInfo> CancelCommand(const std::string& node, const std::string& key);
  void ReloadCommands(const std::string& node);
  void ReloadAllCommands();

  // Those that were admitted, by name.
  std::vector<SessionInfo> Sessions();
  // Asks the nodes to go to other replicas, about as many a second, and takes no new ones. Until
  // StopDrain.
  void StartDrain(double nodes_per_second);
  void StopDrain();
  HubState State();
  // All nodes, at once: they dial again after `retry_after`; spokes are told UNAVAILABLE /
  // DRAINING.
  void Drain(absl::Duration retry_after);
  // For tests: waits until what was posted has run, and what came of it.
  void Settle();
  void Stop();

 private:
  struct Attached {
    std::string name;
    std::set<std::string> resource_types;
    std::set<std::string> report_types;
    std::set<std::string> event_streams;
    std::shared_ptr<SpokeLink> link;
  };

  Shard& ShardOf(absl::string_view node);
  void DetachLocked(link::SpokeId spoke) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Config config_;
  Clock& clock_;
  CloudHubMetrics& metrics_;
  const log::Logger log_;
  std::atomic<int> connections_ = 0;
  absl::Mutex
      mutex_;  // Held while posting to the shards, so that all see spokes come and go in one order.
  std::map<link::SpokeId, Attached> spokes_ ABSL_GUARDED_BY(mutex_);
  link::SpokeId last_spoke_ ABSL_GUARDED_BY(mutex_) = 0;
  RateLimiter dials_;
  SyncGate gate_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_H_
