// One hub's thread and gate under a fleet of nodes, in virtual time, from one seed.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_FLEET_SIMULATION_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_FLEET_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/cloudhub-svc/core/admission.h"
#include "services/lib/link/cloud_session.h"
#include "services/lib/link/edge_session.h"

namespace skerry::cloudhub {

// The machines of both ends and the gate are the real ones; what a Shard and the transports do
// around them is here, with work that takes time: a thread that handles so many bytes a second, one
// task after the other. What holds at any time is checked as it happens. One thread.
class FleetSimulation {
 public:
  enum class Kind {
    kGood,
    kSlow,     // Reads and acks little by little.
    kDeaf,     // Subscribes, and never reads or acks.
    kFlood,    // Sends valid frames as fast as it can.
    kGarbage,  // Sends frames that break rules.
    kDialler,  // Dials again and again.
  };

  FleetSimulation(uint64_t seed, size_t nodes, size_t hostile);

  void Run(absl::Duration time);
  // The hub dies; all nodes notice within a second, and another hub is there at once.
  void Storm();
  // All but the hostile hold what is desired.
  void CheckInSync();

  const std::string& failure() const { return failure_; }
  const std::map<std::string, int>& seen() const { return seen_; }

 private:
  struct Node {
    std::string name;
    Kind kind = Kind::kGood;
    std::unique_ptr<link::EdgeSession> machine;  // Of good and slow ones.
    uint64_t connection = 0;                     // Its latest.
    uint64_t dialled = 0;                        // By the machine.
    absl::Duration hostile_at;                   // When it does its next bad thing.
    uint64_t turns = 0;                          // Frames of it that the hub has worked on.
    uint64_t came = 0;  // When it first waited at the gate; 0: it does not.
    std::map<std::string, std::string> store;
  };
  struct Connection {
    size_t node = 0;
    std::unique_ptr<link::CloudSession> session;
    std::deque<link::EdgeFrame> up;  // In the transport.
    std::deque<link::CloudFrame> down;
    size_t ahead = 0;  // Frames that were taken from the transport and not worked on.
    bool drain_awaited = false;
    Admission::Id gate = 0;
    bool placed = false;  // It brings itself up to date.
  };
  // Of the hub's thread.
  struct Task {
    uint64_t connection = 0;
    size_t bytes = 0;
    bool frame = false;           // One of the node's.
    std::vector<uint64_t> turns;  // Of every node, when it was posted.
    std::function<void()> run;
  };

  // The hub's thread.
  void Post(uint64_t connection, size_t bytes, std::function<void()> run, bool frame = false);
  void RunTasks();
  void CheckWait(const Task& task);
  void Take(uint64_t connection);
  void Feed(uint64_t connection, link::cloud::Event event);
  void Perform(uint64_t connection, link::cloud::Effect& effect);
  void Answer(uint64_t connection, const link::Subscribe& subscribe);
  void Hear(const std::vector<Admission::Verdict>& verdicts);
  void LetIn(uint64_t connection);
  void UpdateSync(uint64_t connection);
  void Leave(Connection& connection);

  // The nodes and their lines.
  uint64_t Dial(size_t node);
  void FeedEdge(size_t node, link::edge::Event event);
  void Apply(size_t node, link::edge::SpokeMessage& message);
  void Move(size_t node);
  void BeHostile(size_t node);
  void Hangup(size_t node);

  void Fail(const std::string& what);
  uint64_t Random(uint64_t bound) { return rng_() % bound; }

  std::mt19937_64 rng_;
  absl::Duration now_ = absl::Seconds(1000);
  std::string failure_;
  std::map<std::string, int> seen_;
  link::CloudSession::Config session_config_;
  Admission::Config gate_config_;
  std::unique_ptr<Admission> gate_;
  std::vector<Node> nodes_;
  std::map<uint64_t, Connection> connections_;
  uint64_t last_connection_ = 0;
  Admission::Id last_gate_ = 0;
  std::map<Admission::Id, uint64_t> at_gate_;
  std::map<size_t, uint64_t> current_;  // Sessions, by node.
  uint64_t last_epoch_ = 0;
  uint64_t last_came_ = 0;
  uint64_t last_subscription_ = 0;
  std::set<absl::Duration> tickets_;
  std::deque<Task> tasks_;
  size_t worked_ = 0;  // Bytes, in all.
  absl::Duration busy_until_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_FLEET_SIMULATION_H_
