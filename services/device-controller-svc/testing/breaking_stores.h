// SQLite stores that can be out of reach.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_BREAKING_STORES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_BREAKING_STORES_H_

#include <atomic>
#include <memory>
#include <string>

#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"

namespace skerry::devicecontroller {

// Any thread may use it.
class BreakingStores {
 public:
  BreakingStores(const std::string& folder, Clock& clock);
  ~BreakingStores();

  // From now on every call is UNAVAILABLE; or not any more.
  void SetBroken(bool broken) { broken_ = broken; }

  RegistryStore& registry();
  TwinHistoryStore& twins();
  TelemetryStore& telemetry();

 private:
  class Registry;
  class Twins;
  class Telemetry;

  std::atomic<bool> broken_ = false;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Twins> twins_;
  std::unique_ptr<Telemetry> telemetry_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_BREAKING_STORES_H_
