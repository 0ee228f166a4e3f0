// The sessions of some of the nodes, on one thread.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SHARD_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SHARD_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/core/node_record.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/cloudhub-svc/sessions/node_records.h"
#include "services/cloudhub-svc/sessions/ports.h"
#include "services/cloudhub-svc/sessions/sync_gate.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/tunnel_events.h"
#include "services/lib/log/logger.h"

namespace skerry::cloudhub {

// One connection of one node: the machine, its transport and what people want to know of it. Its
// shard's thread alone looks inside.
class NodeSession;
// One tunnel of a user, and the session that it is of. Its shard's thread alone looks inside.
struct NodeTunnel;

// Runs the machines of its nodes: performs their effects, feeds what comes of them back, wakes
// them. Admissions wait for the records on a thread beside, one after the other, and commands for
// their store on another, so that a store that is slow or away delays no session that is open. All
// public functions may be called from any thread and only post; what they refer to outlives Stop().
class Shard {
 public:
  struct Deps {
    const link::CloudSession::Config& session;
    NodeRecords& records;
    SyncGate& gate;
    CommandStore& commands;
    const CommandDesk::Config& desk;
    Clock& clock;
    CloudHubMetrics& metrics;
    log::Logger log;
  };
  struct Spoke {
    link::SpokeId id = 0;
    std::vector<std::string> resource_types;
    std::vector<std::string> report_types;
    std::vector<std::string> event_streams;
    std::shared_ptr<SpokeLink> link;
  };

  Shard(const std::string& name, Deps deps);
  ~Shard();

  std::shared_ptr<NodeSession> Open(LinkingBox box, const std::string& peer,
                                    std::shared_ptr<NodeLink> link);
  // `after` runs when the frame has been dealt with.
  void Frame(std::shared_ptr<NodeSession> session, link::EdgeFrame frame,
             absl::AnyInvocable<void()> after);
  // The peer broke a bound of the wire.
  void Invalid(std::shared_ptr<NodeSession> session, absl::Status violation);
  void Closed(std::shared_ptr<NodeSession> session);

  // `announced` runs when every session has been named to the spoke.
  void Attach(Spoke spoke, absl::AnyInvocable<void()> announced);
  void Detach(link::SpokeId spoke);
  // To the session of the node with that epoch; else it is dropped and counted.
  void ToNode(const std::string& node, uint64_t epoch, link::cloud::Event event,
              absl::AnyInvocable<void()> after);

  // Another replica has admitted the node with `epoch`: ends its sessions of lower ones.
  void FenceBelow(const NodeName& node, uint64_t epoch);
  // Closes the links of the node; their machines hear of it when they are closed.
  void End(const NodeName& node, absl::Status status);
  // A tunnel to the node; `port` hears what becomes of it, to its End.
  std::shared_ptr<NodeTunnel> OpenTunnel(const std::string& node, const std::string& type,
                                         const std::string& target,
                                         std::shared_ptr<link::tunnel::UserPort> port);
  void FromTunnel(std::shared_ptr<NodeTunnel> tunnel, link::tunnel::UserEvent event);

  // The watcher hears where the command is, from here to its end.
  void SendCommand(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  // These wait; not from the shard's thread.
  absl::StatusOr<CommandInfo> FindCommand(const std::string& node, const std::string& key);
  absl::StatusOr<std::vector<CommandInfo>> ListCommands(const std::string& node,
                                                        const std::string& after, size_t count_max);
  absl::StatusOr<CommandInfo> CancelCommand(const std::string& node, const std::string& key);

  // As of CommandDesk.
  void ReloadCommands(const std::string& node);
  void ReloadAllCommands();

  // Moves all nodes away at once and refuses new ones.
  void Drain(absl::Duration retry_after);
  // Refuses new nodes and moves those it has, with about `pause` between two, until StopDrain.
  void StartDrain(absl::Duration pause);
  void StopDrain();
  // Adds its own. Waits; not from the shard's thread.
  void AddState(HubState& state);
  // Waits; not from the shard's thread.
  std::vector<SessionInfo> Sessions();
  // For tests: waits until what was posted has run, and what came of it. As Sessions().
  void Settle();
  void Stop();

 private:
  using SessionPtr = std::shared_ptr<NodeSession>;

  void Feed(const SessionPtr& session, link::cloud::Event event);
  void MoveNext(absl::Duration pause);
  void Perform(const SessionPtr& session, std::vector<link::cloud::Effect> effects);
  void Perform(const SessionPtr& session, link::cloud::Admit effect);
  void Perform(const SessionPtr& session, link::cloud::AwaitSync effect);
  // What the gate says to the session, now or later.
  void Ask(const SessionPtr& session, SyncGate::Answer answer);
  SyncGate::Tell TellOf(const SessionPtr& session);
  void Hear(const SessionPtr& session, const SyncGate::Verdict& verdict);
  // Tells the gate how far the session's sync is.
  void UpdateSync(const SessionPtr& session);
  void LeaveGate(NodeSession& session);
  void TickGate();
  // Asks the records, whose answer is the session's epoch, and begins it.
  void LetIn(const SessionPtr& session);
  // On the thread of admissions.
  absl::StatusOr<uint64_t> Record(const NodeSession& session, const LinkingBox& box,
                                  absl::Duration asked);
  void Begin(const SessionPtr& session, const absl::StatusOr<uint64_t>& epoch);
  void Refuse(const SessionPtr& session, const absl::Status& why);
  void Perform(const SessionPtr& session, link::cloud::Send effect);
  void Perform(const SessionPtr& session, link::cloud::AwaitDrained effect);
  void Perform(const SessionPtr& session, link::cloud::ToSpoke effect);
  void Perform(const SessionPtr& session, link::cloud::EpochStored effect);
  void Perform(const SessionPtr& session, link::cloud::CommandDue effect);
  void Perform(const SessionPtr& session, link::cloud::CommandReceived effect);
  void Perform(const SessionPtr& session, link::tunnel::ToUser effect);
  void Perform(const SessionPtr& session, link::cloud::Close effect);
  void Perform(const SessionPtr& session, link::CompressionBytes effect);
  void Perform(const SessionPtr& session, link::cloud::Count effect);
  // The session that the node has, if that is this one.
  bool IsCurrent(const SessionPtr& session) const;
  bool OnCommandStore(absl::AnyInvocable<absl::AnyInvocable<void()>()> work);
  void SweepCommands();
  void ArmDesk();
  void Arm(const SessionPtr& session);
  void Wake(const std::weak_ptr<NodeSession>& session);

  const Deps deps_;
  std::atomic<bool> stopping_ = false;
  bool draining_ = false;
  absl::Duration drain_retry_after_;
  exec::SerialExecutor::TimerId drain_timer_ = 0;
  std::map<std::string, uint64_t> moving_;  // Nodes that were asked to go; epochs they had here.
  absl::BitGen random_;
  uint64_t last_tunnel_ = 0;
  bool gate_ticks_ = false;  // A tick is posted.
  std::map<link::SpokeId, Spoke> spokes_;
  std::set<SessionPtr> sessions_;               // With those before Welcome.
  std::map<std::string, SessionPtr> dialling_;  // The newest connection before Welcome, by node.
  std::map<std::string, SessionPtr> by_node_;   // Those that were admitted.
  CommandDesk desk_;
  exec::SerialExecutor::TimerId desk_timer_ = 0;
  absl::Duration desk_timer_due_ = absl::InfiniteDuration();
  // Last: their threads use the rest, and each other.
  exec::SerialExecutor admissions_;
  std::atomic<uint64_t> store_calls_{0};  // So far, of the desk.
  exec::SerialExecutor store_;
  exec::SerialExecutor executor_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SHARD_H_
