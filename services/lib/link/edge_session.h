// The edge's end of the link over all its connections, as a pure machine.
#ifndef SKERRY_SERVICES_LIB_LINK_EDGE_SESSION_H_
#define SKERRY_SERVICES_LIB_LINK_EDGE_SESSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/link/backoff.h"
#include "services/lib/link/byte_budget.h"
#include "services/lib/link/chunks.h"
#include "services/lib/link/command_receiver.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/heartbeat.h"
#include "services/lib/link/journal_sender.h"
#include "services/lib/link/keepalive.h"
#include "services/lib/link/resource_receiver.h"
#include "services/lib/link/tunnel_mux.h"

namespace skerry::link {

// Follows docs/spec/link.md: events in, effects out; no clock, no lock, no I/O. The runner performs
// the effects in order and feeds what comes of them back as events. One thread at a time; lives as
// long as the process.
class EdgeSession {
 public:
  struct Config {
    Hello hello;  // Its stored_epoch is that on the disk at the start.
    absl::Duration welcome_timeout = absl::Seconds(15);
    absl::Duration tunnel_join_timeout = absl::Seconds(10);
    absl::Duration backoff_base = absl::Seconds(1);
    absl::Duration backoff_max = absl::Seconds(60);
    // Given to the transport and not yet taken by it: what comes later and is more urgent waits for
    // no more than this.
    size_t transport_bytes_max = kTransportUnsentBytesMax;
    bool compression = false;  // Accepted, and done where the peer accepts it (section 13).
    ByteLimit up_limit;        // What may be sent, over all sessions (link-14.1).
    uint64_t seed = 0;         // Of the backoff's jitter: differs from box to box.
  };

  explicit EdgeSession(Config config);

  std::vector<edge::Effect> Step(edge::Event event, absl::Duration now);
  // A Tick is due at this time.
  absl::Duration NextWake() const;

  struct TypeStatus {
    std::string type;
    SpokeId spoke = 0;
    bool synced = false;
    uint64_t last_sequence = 0;
  };
  std::vector<TypeStatus> types() const;
  bool connected() const { return phase_ == Phase::kConnected; }
  uint64_t epoch() const { return epoch_; }
  // The tunnel is offered and nobody has taken it.
  bool CanJoin(uint64_t epoch, uint64_t tunnel) const;
  size_t tunnels() const { return tunnels_.size(); }
  // Commands that are begun and not ended.
  size_t commands() const { return commands_.executing(); }
  // Monotonic; infinite unless it waits to dial.
  absl::Duration next_dial() const {
    return phase_ == Phase::kWaiting ? dial_at_ : absl::InfiniteDuration();
  }
  const std::string& down_reason() const { return down_reason_; }
  const ByteBudget& budget() const { return budget_; }

 private:
  enum class Phase { kIdle, kWaiting, kAwaitWelcome, kConnected };

  struct Resource {
    ResourceReceiver receiver;
    SpokeId spoke = 0;
  };
  // Something that goes up from the journal: a type of reports or a stream of events.
  struct Lane {
    Rank rank = Rank::kState;
    bool events = false;
    std::string name;
    std::string flow;  // As chunks know it.
    JournalSender sender;
  };
  using LaneIterator = std::vector<Lane>::iterator;

  // Events.
  void On(edge::Start event);
  void On(edge::Stop event);
  void On(edge::FrameReceived event);
  void On(edge::InvalidFrame event);
  void On(edge::LinkClosed event);
  void On(edge::SpokeAttached event);
  void On(edge::SpokeDetached event);
  void On(edge::SpokeSubscribe event);
  void On(edge::ResourceDone event);
  void On(edge::EpochStored event);
  void On(edge::ReportStored event);
  void On(edge::ReportsFetched event);
  void On(edge::EventStored event);
  void On(edge::EventsFetched event);
  void On(edge::Drained event);
  void On(edge::CommandBegun event);
  void On(edge::CommandFinished event);
  void On(edge::CommandRead event);
  void On(edge::CommandDone event);
  void On(edge::JoinTunnel event);
  void On(tunnel::FromUser event);
  void On(edge::Tick event);

  // Frames.
  void Receive(Welcome frame);
  void Receive(ResourceChange frame);
  void Receive(ReportAck frame);
  void Receive(Heartbeat frame);
  void Receive(Resync frame);
  void Receive(GoAway frame);
  void Receive(Chunk frame);
  void Receive(const Compressed& frame);
  void Receive(EventAck frame);
  void Receive(Command frame);
  void Receive(TunnelOpen frame);
  void Receive(TunnelData frame);
  void Receive(TunnelCredit frame);
  void Receive(TunnelClose frame);

  void Dial();
  // Ends the connection from this side, and dials again later.
  void Hangup(absl::Status status);
  void Down(absl::Status status);
  // Another interval may suit the line better, after the end of a session.
  void LearnFrom(const absl::Status& status);
  void RequestSubscription(const std::string& type, Resource& resource);
  // The spoke's resource of that type; null where it isn't its owner.
  Resource* Owned(SpokeId spoke, const std::string& type);
  void DetachTypes(SpokeId spoke);
  Lane* FindLane(bool events, const std::string& name);
  Lane& LaneOf(Rank rank, bool events, const std::string& name);
  // Behind the lanes of this rank.
  LaneIterator EndOfRank(LaneIterator from, Rank rank);
  // A read of this connection is over.
  void Fetched(Lane& lane, bool more);
  // Sends chunks and reads from the journal, in the order of rank, while the transport may be given
  // more and the budget allows it (link-6.4, link-12.1, link-14.4).
  void Pump();
  struct Turn {
    LaneIterator lane;
    std::optional<Rank> chunk;
    bool tunnel = false;  // Where it does not send by itself.
  };
  // Alarms alone where the budget is spent. False where nothing is left.
  bool WithinBudget(Turn& turn);
  void Take(const Turn& turn);
  // Something has to wait for the budget.
  void Defer();
  // Whose turn it is to be read; the end where none has something or may send it.
  LaneIterator NextLane();
  void Fetch(LaneIterator lane);
  // Asks for Drained where the transport has had enough for now.
  bool TransportFull();
  // Sends and tells what came of the commands.
  void FlushCommands();
  void PumpResponses();
  // Gives up the tunnels that nobody took in time.
  void RefuseUnjoined();
  void EndTunnels(const absl::Status& status);
  void TunnelReceived(absl::StatusOr<bool> current);
  // Sends and tells what came of the tunnels.
  void FlushTunnels();
  void EmitTunnels();
  template <typename E>
  void Emit(E effect) {
    effects_.emplace_back(std::in_place_type<E>, std::move(effect));
  }
  void Send(EdgeFrame frame);
  // The same for frames that may be large, which Pump then sends. Those of one flow keep their
  // order.
  void SendRanked(Rank rank, const std::string& flow, EdgeFrame frame);
  void ToSpoke(SpokeId spoke, edge::SpokeMessage message);
  void Count(edge::Incident incident);

  const Config config_;
  absl::Duration now_;  // Of the Step under way.
  Phase phase_ = Phase::kIdle;
  Backoff backoff_;
  absl::Duration dial_at_;
  absl::Duration dialed_at_;
  absl::Duration retry_after_;  // Of the last GoAway; 0 without one.
  bool moved_ = false;          // The hub sends the session to another replica.
  std::string down_reason_ = "not dialled yet";
  uint64_t connection_ = 0;
  uint64_t epoch_ = 0;  // Of the last session.
  uint64_t stored_epoch_;
  HeartbeatClock heartbeat_{kNodeSilenceMax};
  Keepalive keepalive_;
  uint64_t next_subscription_id_ = 1;
  std::map<SpokeId, std::vector<std::string>> spokes_;  // With their report types.
  std::map<std::string, Resource> resources_;
  std::vector<Lane> lanes_;  // By rank; those of one rank by whose turn it is.
  ChunkSender chunks_;
  ChunkReceiver received_chunks_;
  bool compress_ = false;       // Both ends want it.
  bool chunk_sent_ = false;     // The last turn was a chunk's.
  bool tunnel_sent_ = false;    // The last turn was a tunnel's.
  bool fetching_ = false;       // A read is under way.
  bool draining_ = false;       // AwaitDrained was asked for.
  size_t transport_bytes_ = 0;  // Sent since the transport was last known to be empty.
  ByteBudget budget_;
  CommandReceiver commands_;
  bool reading_command_ = false;                  // A read of an outcome is under way.
  std::map<std::string, SpokeId> tunnel_takers_;  // By type.
  TunnelMux tunnels_;
  std::map<uint64_t, absl::Duration> unjoined_;  // Tunnels that are offered; until when.
  std::vector<edge::Effect> effects_;            // Of the Step under way.
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_EDGE_SESSION_H_
