// Further spokes at both ends of the simulated link, with types of their own.
#ifndef SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_GUEST_H_
#define SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_GUEST_H_

#include <cstdint>
#include <optional>

#include "services/lib/link/cloud_events.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/link/frames.h"

namespace skerry::link::testing {

class Simulation;

// What a service does at the link, as Simulation sees it; its types are none of Simulation's own,
// its spokes have ids above kGuestSpokes. What is handed to it here it only queues: it calls the
// simulation from Step(), Work() and Settle(). The simulation's thread.
class SimulationGuest {
 public:
  static constexpr SpokeId kGuestSpokes = 1u << 20;

  virtual ~SimulationGuest() = default;

  // Called once; `simulation` is used from now on, and outlived.
  virtual void Enter(Simulation& simulation) = 0;
  // One random thing of its own, faults among them.
  virtual void Step() = 0;
  // There are no more faults: all its parts run, and what they lack is put right.
  virtual void Settle() = 0;
  // Whatever of it can move moves on.
  virtual void Work() = 0;
  virtual bool Quiet() const = 0;
  // Nothing moves any more.
  virtual void CheckFinal() = 0;

  // The cloud's end. HubSpoke(): what every session that begins is told, while it is attached.
  virtual std::optional<cloud::SpokeAttached> HubSpoke() const = 0;
  virtual void FromHub(SpokeId spoke, uint64_t epoch, cloud::SpokeMessage message) = 0;
  virtual void HubCrashed() = 0;

  // The box's end: all its spokes there are gone with the crash.
  virtual void FromEdgeHub(SpokeId spoke, edge::SpokeMessage message) = 0;
  virtual void EdgeHubCrashed() = 0;
  // The journal's part for its type of reports; Journalled(): its newest entry, where there is one.
  virtual std::optional<edge::ReportStored> Journalled() const = 0;
  virtual edge::ReportsFetched Fetch(const edge::FetchReports& fetch) = 0;
  virtual void Trim(const edge::TrimReports& trim) = 0;
};

}  // namespace skerry::link::testing

#endif  // SKERRY_SERVICES_LIB_LINK_TESTING_SIMULATION_GUEST_H_
