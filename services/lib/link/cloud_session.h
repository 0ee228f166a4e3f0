// The cloud's end of one session of one node, as a pure machine.
#ifndef SKERRY_SERVICES_LIB_LINK_CLOUD_SESSION_H_
#define SKERRY_SERVICES_LIB_LINK_CLOUD_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/byte_budget.h"
#include "services/lib/link/chunks.h"
#include "services/lib/link/cloud_events.h"
#include "services/lib/link/command_sender.h"
#include "services/lib/link/event_receiver.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/heartbeat.h"
#include "services/lib/link/report_receiver.h"
#include "services/lib/link/resource_sender.h"
#include "services/lib/link/tunnel_mux.h"

namespace skerry::link {

// Follows docs/spec/link.md: events in, effects out; no clock, no lock, no I/O. The runner performs
// the effects in order and feeds what comes of them back as events. One thread at a time; one
// object per connection, done after its Close.
class CloudSession {
 public:
  struct Config {
    std::string hub;
    absl::Duration heartbeat_interval = absl::Seconds(16);
    absl::Duration hello_timeout = absl::Seconds(10);
    size_t unsent_bytes_max = 16u << 20;  // Of all subscriptions of the node.
    // Given to the transport and not yet taken by it: no more of resource sync.
    size_t transport_bytes_max = kTransportUnsentBytesMax;
    bool compression = false;  // Accepted, and done where the peer accepts it (section 13).
  };

  // `config` outlives it. `now` here and in Step is monotonic.
  CloudSession(const Config& config, absl::Duration now);

  std::vector<cloud::Effect> Step(cloud::Event event, absl::Duration now);
  // A Tick is due at this time.
  absl::Duration NextWake() const;

  bool open() const { return phase_ == Phase::kOpen; }
  bool closed() const { return phase_ == Phase::kClosed; }
  uint64_t epoch() const { return epoch_; }
  absl::Duration last_received() const { return heartbeat_.last_received(); }
  size_t unsent_bytes() const;
  std::vector<std::string> subscribed_types() const;
  size_t tunnels() const { return tunnels_.size(); }

  // How far the node is with what it subscribed to.
  enum class Sync {
    kAwaited,   // Neither has it subscribed yet, nor been asked to: its turn has not come.
    kUnderWay,  // Something that has an owner is not synced.
    kDone,
  };
  Sync sync() const;

 private:
  enum class Phase { kAwaitHello, kAdmitting, kOpen, kClosed };

  // A type that the node wants, whether or not it has an owner.
  struct Subscription {
    ResourceSender sender;
    bool more = false;       // Further Subscribe frames of this id are to come.
    bool forwarded = false;  // To the present owner, from its first holding on.
    bool resync_due = false;
    bool resync_sent = false;
  };

  using SubscriptionIterator = std::map<std::string, Subscription>::iterator;

  // Events.
  void On(cloud::FrameReceived event);
  void On(cloud::InvalidFrame event) { Fail(std::move(event.violation)); }
  void On(cloud::Admitted event);
  void On(cloud::Refused event);
  void On(cloud::Denied event) { End(std::move(event.status), "DENIED"); }
  void On(cloud::Superseded event);
  void On(cloud::LinkClosed event);
  void On(cloud::Fence event);
  void On(cloud::Drain event);
  void On(cloud::SpokeAttached event);
  void On(cloud::SpokeDetached event);
  void On(cloud::Push event);
  void On(cloud::ReportDone event);
  void On(cloud::EventsDone event);
  void On(cloud::SpokeResync event);
  void On(cloud::QueueCommand event);
  void On(cloud::SendCommand event);
  void On(cloud::DropCommand event);
  void On(cloud::OpenTunnel event);
  void On(tunnel::FromUser event);
  void On(cloud::Drained event);
  void On(cloud::SyncTurn event);
  void On(cloud::Tick event);

  // Frames.
  void Receive(Hello frame);
  void Receive(Subscribe frame);
  void Receive(Unsubscribe frame);
  void Receive(ResourceAck frame);
  void Receive(Report frame);
  void Receive(Heartbeat frame);
  void Receive(EventBatch frame);
  void Receive(EpochStored frame);
  void Receive(Chunk frame);
  void Receive(const Compressed& frame);
  void Receive(CommandReceipt frame);
  void Receive(CommandTakers frame);
  void Receive(TunnelAccept frame);
  void Receive(TunnelData frame);
  void Receive(TunnelCredit frame);
  void Receive(TunnelClose frame);

  using Owners = std::map<std::string, SpokeId>;

  // The heartbeat interval of a node that asks for this one; 0: for none.
  absl::Duration IntervalFor(absl::Duration asked) const;
  SpokeId OwnerOf(const Owners& owners, const std::string& type) const;
  // Takes the spoke's types out of `owners` and returns them.
  static std::vector<std::string> Disown(Owners& owners, SpokeId spoke);
  // The owner of `type` changed to `spoke`, or to none (0).
  void ResourceOwnerChanged(const std::string& type, SpokeId spoke);
  void ReportOwnerChanged(const std::string& type);
  void EventOwnerChanged(const std::string& stream);
  void AskResync(Subscription& subscription);
  // Sends chunks, changes and, within a budget, tunnel data, in turns, while the transport may be
  // given more and the budget allows it (link-12.1, link-14.4).
  void Pump();
  // Of the commands that wait for the budget, one may be asked for.
  bool CommandReady() const;
  void AskForCommand();
  // The hub has answered, with or without the command.
  void Answered(const std::string& key);
  // Whose change is next; the end where none has one or may send it.
  SubscriptionIterator NextToSend();
  void PumpReports(const std::string& type, ReportReceiver& receiver);
  void AckReports(ReportReceiver& receiver);
  void PumpEvents(const std::string& stream, EventReceiver& receiver);
  // Sends and tells what came of the commands.
  void FlushCommands();
  void SendCommandFrame(Command frame);
  void TunnelReceived(absl::StatusOr<bool> current);
  // Sends and tells what came of the tunnels.
  void FlushTunnels();
  void EmitTunnels();
  template <typename E>
  void Emit(E effect) {
    effects_.emplace_back(std::in_place_type<E>, std::move(effect));
  }
  void Send(CloudFrame frame);
  // The same for frames that may be large, which Pump then sends. Those of one flow keep their
  // order.
  // With `whole` what is small goes at once, if nothing of its flow waits.
  void SendRanked(Rank rank, const std::string& flow, CloudFrame frame, bool whole = true);
  void ToSpoke(SpokeId spoke, cloud::SpokeMessage message);
  void Count(cloud::Incident incident);
  void End(absl::Status status, absl::string_view reason);
  void Fail(absl::Status violation) { End(std::move(violation), "PROTOCOL_ERROR"); }

  const Config& config_;
  const absl::Duration started_;
  absl::Duration now_;  // Of the Step under way.
  Phase phase_ = Phase::kAwaitHello;
  absl::Duration heartbeat_interval_;  // What holds; until Welcome, what will.
  uint64_t epoch_ = 0;
  bool epoch_stored_ = false;
  HeartbeatClock heartbeat_{kHubSilenceMax};
  std::set<SpokeId> spokes_;
  Owners resource_owners_;
  Owners report_owners_;
  Owners event_owners_;
  std::map<std::string, Subscription> subscriptions_;
  std::map<std::string, uint64_t> last_subscription_ids_;
  std::map<std::string, ReportReceiver> reports_;
  std::map<std::string, EventReceiver> events_;
  std::string turn_;  // The type whose change was sent last.
  ChunkSender chunks_;
  ChunkReceiver received_chunks_;
  bool compress_ = false;     // Both ends want it.
  bool chunk_sent_ = false;   // The last turn was a chunk's.
  bool tunnel_sent_ = false;  // The last turn was a tunnel's.
  CommandSender commands_;
  std::deque<std::string> due_commands_;  // Keys of those that wait for the budget.
  std::string asked_command_;             // The hub's answer is awaited; empty: none is.
  TunnelMux tunnels_;
  bool draining_ = false;  // AwaitDrained was asked for.
  bool awaiting_sync_ = false;
  ByteBudget budget_;
  size_t transport_bytes_ = 0;          // Sent since the transport was last known to be empty.
  std::vector<cloud::Effect> effects_;  // Of the Step under way.
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_CLOUD_SESSION_H_
