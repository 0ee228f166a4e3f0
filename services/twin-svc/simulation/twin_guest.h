// Promise A4 at the simulated link: Devices go down, people write on the box, twins go up.
#ifndef SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_GUEST_H_
#define SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_GUEST_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "services/lib/link/cloud_events.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/link/testing/simulation_guest.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/simulation/device_cloud.h"
#include "services/twin-svc/simulation/device_copies.h"
#include "services/twin-svc/simulation/twin_process.h"

namespace skerry::twin {

// A device controller, edge-meta-svc, twin-svc and the twins' part of edgehub-svc's journal, each
// of which crashes by itself. What must hold at any time is checked as it happens. One thread.
class TwinGuest final : public link::testing::SimulationGuest {
 public:
  explicit TwinGuest(TwinMetrics& metrics) : process_(metrics, cloud_) {}

  void Enter(link::testing::Simulation& simulation) override;
  void Step() override;
  void Settle() override;
  void Work() override;
  bool Quiet() const override;
  void CheckFinal() override;

  std::optional<link::cloud::SpokeAttached> HubSpoke() const override { return cloud_.Spoke(); }
  void FromHub(link::SpokeId spoke, uint64_t epoch, link::cloud::SpokeMessage message) override;
  void HubCrashed() override { cloud_.Crash(); }

  void FromEdgeHub(link::SpokeId spoke, link::edge::SpokeMessage message) override;
  void EdgeHubCrashed() override;
  std::optional<link::edge::ReportStored> Journalled() const override;
  link::edge::ReportsFetched Fetch(const link::edge::FetchReports& fetch) override;
  void Trim(const link::edge::TrimReports& trim) override;

 private:
  struct Entry {
    uint64_t sequence = 0;
    std::string value;
  };
  struct Put {
    std::string key;
    std::string value;
  };

  void AttachTwins();
  void CrashTwins();
  void StartTwins();
  void TakeFromWatch();
  // twin-svc hands a twin in that has changed; edgehub-svc stores what it has got, in order.
  void PutReport();
  void StoreReport();
  void StorePut();
  uint64_t Random(uint64_t bound) { return simulation_->Random(bound); }

  link::testing::Simulation* simulation_ = nullptr;
  DeviceCloud cloud_;
  DeviceCopies copies_;
  TwinProcess process_;

  link::SpokeId twins_spoke_ = 0;
  link::SpokeId last_twins_spoke_ = kGuestSpokes + 1;
  std::deque<Put> puts_;  // On their way to the journal, not answered.

  // Durable, edgehub-svc's.
  std::map<std::string, Entry> journal_;
  uint64_t last_sequence_ = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_GUEST_H_
