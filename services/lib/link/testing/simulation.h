// Both session machines with all their neighbours, in one thread, from one seed.
#ifndef SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_H_
#define SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/command_tracker.h"
#include "services/lib/link/edge_session.h"
#include "services/lib/link/testing/simulation_guest.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::link::testing {

// A node, its hub, a controller and a spoke of the box. Everything that is between them is a queue
// that the seed empties at will; connections break for both ends, for one or for none (until
// heartbeats tell); every part crashes and loses what was not durable. What holds at any time is
// checked as it happens; Settle() ends the faults and checks that all is equal. One thread.
class Simulation {
 public:
  explicit Simulation(uint64_t seed);

  // One random thing happens.
  void Step();
  // For some seconds nothing of its own fails, and much of what waits moves.
  void Calm(int seconds);
  // No more faults: lets everything run until nothing moves, then checks the final state.
  void Settle();

  // The first broken promise; empty while there is none.
  const std::string& failure() const { return failure_; }
  // How often each fault and each rare path occurred, to show that the runs reach them.
  const std::map<std::string, int>& seen() const { return seen_; }

  // From now on `guest`, which outlives this, takes part. Before the first step; the same seed is
  // another run with it.
  void Invite(SimulationGuest& guest);
  // For the guest: what it says to the hubs, and what it found.
  void ToEdgeHub(edge::Event event) { FeedEdge(std::move(event)); }
  void ToHub(const cloud::Event& event) { FeedAllSessions(event); }
  // Into the node's session, if that is still the one of `epoch`.
  void ToSession(uint64_t epoch, cloud::Event event);
  uint64_t Random(uint64_t bound) { return rng_() % bound; }
  void Saw(const std::string& what) { ++seen_[what]; }
  void Fail(const std::string& what);

 private:
  struct Connection {
    std::unique_ptr<CloudSession> session;  // Null once the hub's end is closed.
    std::deque<EdgeFrame> up;
    std::deque<CloudFrame> down;
    absl::Duration last_frame;   // Went out, either way.
    absl::Duration heard;        // By the hub.
    absl::Duration interval;     // In force at the hub.
    bool cut = false;            // Nothing gets through any more.
    bool drain_awaited = false;  // By the hub.
    bool sync_awaited = false;
  };
  struct Subscription {
    uint64_t epoch = 0;
    uint64_t id = 0;
    std::map<std::string, uint64_t> holdings;
    bool complete = false;
  };
  struct JournalEntry {
    uint64_t sequence = 0;
    uint64_t value = 0;
  };
  struct TunnelUser {
    uint64_t connection = 0;  // Whose session it belongs to.
    size_t sent = 0;
    size_t received = 0;
    size_t untaken = 0;     // Messages.
    size_t unconsumed = 0;  // Bytes.
    bool half_closed = false;
    bool peer_half_closed = false;
  };
  struct SimCommand {
    CommandTracker::Terms terms;
    bool queued = false;   // The hub is to keep it over its restarts.
    bool durable = false;  // Its store does.
    size_t bytes = 0;
    CommandProgress progress;  // Of a queued one: as the store has it.
    bool ended = false;        // Its sender heard the end.
    bool repeated = false;     // By its sender, to a hub that did not know it.
  };
  // The store does `work`, and the hub hears of it, with `then`, if it lives for so long.
  struct StoreCall {
    std::function<void()> work;
    std::function<void()> then;
  };
  struct Record {
    bool done = false;
    absl::Status status;
    std::string response;
  };
  struct ForController {
    uint64_t epoch = 0;
    cloud::SpokeMessage message;
  };

  // The wire.
  void DeliverUp();
  void DeliverDown();
  void Cut();
  // A frame goes out. What lies between has forgotten a connection that was idle for too long.
  void PassLine(Connection& connection);

  // The cloud.
  void FeedCloud(uint64_t connection, cloud::Event event);
  void Admit(uint64_t connection);
  // It is every node's turn to sync anew.
  void GrantSyncs();
  void FeedAllSessions(const cloud::Event& event);
  void HubCrash();
  void ControllerAttach();
  void ControllerCrash();
  void ControllerWork();
  void ControllerHandle(ForController item);
  void ApplyEvents(uint64_t epoch, const EventBatch& batch);
  void ChangeDesired();
  void PushTo(const Subscription& subscription, Change change);
  void AnswerSubscription();

  // The box.
  void FeedEdge(edge::Event event);
  void Fetch(const edge::FetchReports& effect);
  void Fetch(const edge::FetchEvents& effect);
  void Trim(const edge::TrimReports& effect);
  void Trim(const edge::TrimEvents& effect);
  void EdgeCrash();
  void SpokeAttach();
  void SpokeCrash();
  void SpokeWork();
  void SpokeApply(const ResourceChange& change);
  void SpokeDelete(const std::string& key);
  // link-4.12: by now the box has every difference that the subscription was answered with.
  void CheckSynced();
  void PutReport();
  void PutEvent();
  void DropOldestEvent();

  // Commands, in the cloud.
  void AskStore(std::function<void()> work, std::function<void()> then);
  // It does what it was asked first, and answers.
  void StoreWork();
  void AcceptCommand();
  void AcceptCommand(const std::string& key);
  void TrackCommand(const std::string& key, const CommandProgress& progress);
  void QueueCommand(const std::string& key);
  // All, into the session that has begun, when the store was read in it.
  void QueueCommands();
  void CommandDue(uint64_t connection, const std::string& key);
  void SendCommand(const std::string& key);
  void CommandReceived(const CommandReceipt& receipt);
  void CancelCommand();
  void TickCommands();
  void Tell(const std::string& key, const CommandTracker::Update& update);
  void Announce(const std::string& key, const CommandProgress& progress);
  void CheckCommand(const std::string& key);
  void LoseCommands();
  // And on the box.
  edge::CommandRecord BeginCommand(const edge::BeginCommand& effect);
  absl::Status FinishCommand(const edge::FinishCommand& effect);
  edge::CommandRecord ReadCommand(const std::string& key);
  void ExecuteCommand(const edge::CommandRequest& request);
  void FinishExecuting();

  // Tunnels: one random thing of one user; all that their users still have to do.
  void OpenTunnel();
  void JoinTunnel(const edge::TunnelRequest& request);
  void TunnelWork();
  void FinishTunnels();
  // What waited for the nodes may have left the transport.
  void DrainTunnels();
  void ToTunnelUser(bool cloud, tunnel::ToUser message);
  void FromTunnelUser(bool cloud, uint64_t tunnel, const TunnelUser& user, tunnel::FromUser event);

  // Whatever can move, so many times.
  void Work(int rounds);
  void Advance(absl::Duration by);
  bool Quiet() const;
  void CheckFinal();
  // L3: nobody keeps a session of which it has heard nothing for two intervals.
  void CheckDeadPeers();
  // link-3.7: without anything to do, the session soon outlives the line's forgetfulness.
  void CheckIdleLine();
  std::string RandomKey();

  std::mt19937_64 rng_;
  absl::Duration now_ = absl::Seconds(1000);
  std::string failure_;
  std::map<std::string, int> seen_;
  SimulationGuest* guest_ = nullptr;

  // Durable in the cloud.
  std::map<std::string, uint64_t> desired_;
  std::map<std::string, uint64_t> desired_since_;  // The version that made it.
  std::map<std::string, uint64_t> applied_;  // The latest report of each key that was applied.
  uint64_t last_version_ = 0;
  uint64_t last_epoch_ = 0;
  uint64_t event_cursor_ = 0;  // Of the last event that was applied.
  uint64_t events_applied_ = 0;
  uint64_t events_lost_ = 0;  // As the gaps between them tell.

  std::map<std::string, SimCommand> commands_;
  uint64_t last_command_ = 0;
  std::map<std::string, int> executions_;  // What truly happened.

  // In the hub's and the controller's memory.
  std::map<std::string, CommandTracker> trackers_;  // Of what has not ended.
  std::set<std::string> lost_commands_;             // Whose senders may ask again.
  std::deque<StoreCall> store_calls_;
  std::map<std::string, uint64_t> sending_;  // Due, and the store is asked; in these sessions.
  std::set<std::string> cancelling_;         // The store is asked.
  uint64_t commands_read_ = 0;               // The epoch in which the store was read.
  CloudSession::Config cloud_config_;
  ByteLimit limit_;                                          // Of the box, each way.
  absl::Duration forgets_after_ = absl::InfiniteDuration();  // The line, so much idleness.
  std::map<uint64_t, Connection> connections_;
  uint64_t current_ = 0;  // The connection of the node's session.
  SpokeId controller_ = 0;
  SpokeId last_controller_ = 0;
  std::deque<ForController> for_controller_;
  std::optional<Subscription> subscription_;
  uint64_t controller_epoch_ = 0;
  // What was desired when a subscription was answered, by connection and id.
  std::map<std::pair<uint64_t, uint64_t>, std::map<std::string, uint64_t>> answered_;
  std::map<uint64_t, TunnelUser> cloud_users_;
  uint64_t last_tunnel_ = 0;

  // Durable on the box.
  std::map<std::string, uint64_t> store_;
  std::map<std::string, JournalEntry> journal_;
  std::map<std::string, uint64_t> reported_;  // The latest value that the journal took of each key.
  uint64_t last_sequence_ = 0;
  uint64_t last_value_ = 0;
  uint64_t stored_epoch_ = 0;
  std::deque<StreamEvent> events_;
  uint64_t last_event_ = 0;
  uint64_t events_dropped_ = 0;  // Before the first of events_, and not yet told.

  std::map<std::string, Record> records_;

  // In the memory of the box's services.
  std::vector<std::pair<std::string, std::string>> executing_;  // Keys, with their responses.
  std::unique_ptr<EdgeSession> edge_;
  uint64_t edge_connection_ = 0;      // Of the machine's last Dial.
  uint64_t connection_base_ = 0;      // Connections before the machine was made.
  absl::Duration heard_;              // By the box, in this session.
  absl::Duration interval_;           // In force at the box.
  std::deque<edge::Event> for_edge_;  // Posted to the machine.
  SpokeId spoke_ = 0;
  SpokeId last_spoke_ = 0;
  std::deque<edge::SpokeMessage> for_spoke_;
  std::map<uint64_t, TunnelUser> box_users_;
  uint64_t spoke_subscription_ = 0;
  std::set<std::string> staged_deletes_;
  bool synced_ = false;
  uint64_t stored_up_to_ = 0;  // Of the subscription; what the spoke may ack.
};

}  // namespace skerry::link::testing

#endif  // SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_H_
