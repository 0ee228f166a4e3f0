// The gRPC API of device-controller-svc as a whole.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "services/device-controller-svc/service/commands.h"
#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_objects.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::metrics {
class Registry;
}  // namespace skerry::metrics

namespace skerry::devicecontroller {

// What the API needs. All of it outlives the services.
struct ServicesDeps {
  RegistryStore& registry;
  TwinHistoryStore& twins;
  TelemetryStore& telemetry;
  DeviceObjects& objects;
  DeviceModels& models;
  Commands& commands;
  Clock& clock;
  metrics::Registry& metrics;
};

struct ServicesOptions {
  // Calls that ask the stores, the API server or a hub: so many at a time, and so many that wait.
  // Beyond: RESOURCE_EXHAUSTED / SERVER_BUSY.
  size_t threads = 8;
  size_t queue_max = 256;
  size_t method_calls_max =
      1000;  // CallMethod under way. Beyond: RESOURCE_EXHAUSTED / METHOD_CALLS_FULL.
  // Called on a thread of the pool when EnableDevice or DisableDevice has changed a record, before
  // the call is answered. At most one call for each change; the record in the store is the truth.
  std::function<void(const DeviceRecord& record)> on_switched;
};

// Owns DeviceService, DeviceTwinService, TelemetryService and MethodService. Any thread may call
// it. Outlives the server that serves it.
class DeviceControllerServices {
 public:
  DeviceControllerServices(const ServicesDeps& deps, ServicesOptions options, log::Logger log);
  ~DeviceControllerServices();
  DeviceControllerServices(const DeviceControllerServices&) = delete;
  DeviceControllerServices& operator=(const DeviceControllerServices&) = delete;

  // For rpc::Server. Who may call what: DevicePolicy() in device_policy.h.
  std::vector<grpc::Service*> services() const;

  // The registry's record of the device changed, or is gone: after the commit. Does not block.
  void Publish(const DeviceName& device);
  // Whether this process publishes all changes now. Until told so, and again when not, there are no
  // watches: those that are open and those that come end with UNAVAILABLE / NOT_LEADER.
  void SetFollowing(bool following);
  // The process is about to end: watches end with UNAVAILABLE / DRAINING, others are refused.
  // Method calls end when Commands is stopped.
  void Drain();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICES_H_
