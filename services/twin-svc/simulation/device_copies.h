// What edge-meta-svc does in the twins' simulation: the box's copy of the Devices.
#ifndef SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_COPIES_H_
#define SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_COPIES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "services/lib/link/edge_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::twin {

// The rules of docs/spec/link.md section 4 at a spoke of the box, and a watch of one service there,
// which gets what metaclient::MetaClient tells its listener. One thread.
class DeviceCopies {
 public:
  struct Object {
    uint64_t version = 0;
    std::string json;
  };
  struct Event {
    enum class Kind { kObject, kDeleted, kSynced };
    Kind kind = Kind::kSynced;
    std::string key;
    Object object;
  };

  void Enter(link::testing::Simulation& simulation) { simulation_ = &simulation; }

  void Attach();
  void Detached() { spoke_ = 0; }  // The hub is gone.
  void Crash();
  bool attached() const { return spoke_ != 0; }
  void Receive(link::SpokeId spoke, link::edge::SpokeMessage message);
  void Work();

  // Begins anew: every object, and synced. `known`: the watcher is the one of before, and is told
  // what is gone.
  void Watch(bool known);
  void EndWatch();
  bool TakeEvent(Event& event);

  bool quiet() const { return inbox_.empty() && watch_.empty(); }
  const std::map<std::string, Object>& objects() const { return objects_; }

 private:
  void Apply(const link::ResourceChange& frame);
  void Delete(const std::string& key);
  void Tell(Event event);
  uint64_t Random(uint64_t bound) { return simulation_->Random(bound); }

  link::testing::Simulation* simulation_ = nullptr;

  // Durable.
  std::map<std::string, Object> objects_;
  std::map<std::string, uint64_t> newest_;  // That was ever stored, of each key.

  // In memory.
  link::SpokeId spoke_ = 0;
  // Even ones; the twins' spoke has the odd ones.
  link::SpokeId last_spoke_ = link::testing::SimulationGuest::kGuestSpokes;
  std::deque<link::edge::SpokeMessage> inbox_;
  uint64_t subscription_ = 0;
  uint64_t stored_up_to_ = 0;
  bool synced_ = false;
  std::set<std::string> staged_deletes_;
  bool watched_ = false;
  std::deque<Event> watch_;
  std::set<std::string> told_;  // To the watcher, as far as it has taken it.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_COPIES_H_
