// The cloud's end of the twins' simulation: Devices, and the controller that owns them at the hub.
#ifndef SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_CLOUD_H_
#define SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_CLOUD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/link/cloud_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/testing/simulation.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

inline constexpr char kDeviceType[] = "devices.devices.kubeedge.io";
inline constexpr char kTwinType[] = "twins";

// Pushes the Devices that are bound to the node, and applies the reports of their twins in the
// order of session epoch and sequence (ADR 11, ADR 30, ADR 32). It crashes, or loses its place to
// another one while it is still writing. One thread.
class DeviceCloud {
 public:
  // A Device as Kubernetes has it.
  struct Device {
    std::string uid;
    int64_t generation = 0;
    uint64_t version = 0;  // Of the object: no two of any device have the same.
    bool bound = true;
    bool readable = true;                                       // Else a manifest with a mistake.
    std::map<std::string, std::optional<std::string>> desired;  // By property.

    Declaration ToDeclaration() const;
    std::string ToJson(const std::string& key) const;
  };

  void Enter(link::testing::Simulation& simulation) { simulation_ = &simulation; }

  void ChangeDevice();
  void Attach();
  // Whatever it had begun is lost, or its writes come late, when another controller is there.
  void Crash();
  bool attached() const { return spoke_ != 0; }
  std::optional<link::cloud::SpokeAttached> Spoke() const;
  void Receive(link::SpokeId spoke, uint64_t epoch, link::cloud::SpokeMessage message);
  void Work();
  void LateWrite();
  // No manifest has a mistake any more.
  void Mend();
  bool quiet() const { return inbox_.empty() && writing_.empty() && late_.empty(); }

  const std::map<std::string, Device>& devices() const { return devices_; }
  // As it was at that version.
  const Device& At(uint64_t version) const { return versions_.at(version); }
  // What was declared of a device, by generation; manifests with mistakes are left out.
  const std::map<int64_t, Device>& GenerationsOf(const std::string& uid) const {
    return generations_.at(uid);
  }
  // The twin as the cloud has it; null where no report of this device was applied.
  const v1::Twin* TwinOf(const std::string& key) const;

 private:
  struct Item {
    uint64_t epoch = 0;
    link::cloud::SpokeMessage message;
  };
  struct Subscription {
    uint64_t epoch = 0;
    uint64_t id = 0;
    std::map<std::string, uint64_t> holdings;
    bool answered = false;
  };
  struct AppliedTwin {
    uint64_t epoch = 0;
    uint64_t sequence = 0;
    v1::Twin twin;
  };

  void Put(const std::string& key, Device device);
  void Edit(const std::string& key, Device device);
  void Delete(const std::string& key);
  void Push(link::Change change);
  void Answer();
  void Handle(Item item);
  void Apply(uint64_t epoch, const link::Report& report);
  void CheckNotOlder(const std::string& key, const v1::Twin& former, const v1::Twin& twin);
  uint64_t Random(uint64_t bound) { return simulation_->Random(bound); }

  link::testing::Simulation* simulation_ = nullptr;

  // Durable.
  std::map<std::string, Device> devices_;
  std::map<std::string, AppliedTwin> twins_;
  std::map<uint64_t, Device> versions_;
  std::map<std::string, std::map<int64_t, Device>> generations_;
  uint64_t last_version_ = 0;
  uint64_t last_value_ = 0;

  // The controller's.
  link::SpokeId spoke_ = 0;
  link::SpokeId last_spoke_ = link::testing::SimulationGuest::kGuestSpokes;
  std::deque<Item> inbox_;
  std::deque<Item> writing_;  // Reports, on their way to the database.
  std::optional<Subscription> subscription_;
  std::deque<Item> late_;  // Of a former controller, which does not know that it is one.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SIMULATION_DEVICE_CLOUD_H_
