#include "services/device-controller-svc/service/services.h"

#include <grpcpp/impl/codegen/service_type.h>

#include <utility>

#include "services/device-controller-svc/service/device_service.h"
#include "services/device-controller-svc/service/device_twin_service.h"
#include "services/device-controller-svc/service/device_watches.h"
#include "services/device-controller-svc/service/method_service.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/device-controller-svc/service/telemetry_service.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"

namespace skerry::devicecontroller {

// Each uses those above it.
struct DeviceControllerServices::Parts {
  Parts(const ServicesDeps& deps, ServicesOptions options, log::Logger log)
      : metrics(deps.metrics),
        watches(deps.registry, metrics, deps.clock),
        pool("device-api", options.threads, options.queue_max),
        devices(MakeDeviceService(deps.registry, watches, deps.objects, deps.models,
                                  std::move(options.on_switched), pool, metrics, log)),
        twins(MakeDeviceTwinService(deps.registry, deps.twins, deps.objects, deps.models,
                                    deps.clock, pool, metrics, log)),
        telemetry(MakeTelemetryService(deps.telemetry, pool)),
        methods(MakeMethodService(deps.registry, deps.commands, options.method_calls_max, pool,
                                  metrics)) {}

  ServiceMetrics metrics;
  DeviceWatches watches;
  exec::ThreadPool pool;
  const std::unique_ptr<grpc::Service> devices;
  const std::unique_ptr<grpc::Service> twins;
  const std::unique_ptr<grpc::Service> telemetry;
  const std::unique_ptr<grpc::Service> methods;
};

DeviceControllerServices::DeviceControllerServices(const ServicesDeps& deps,
                                                   ServicesOptions options, log::Logger log)
    : parts_(std::make_unique<Parts>(deps, std::move(options), std::move(log))) {}

DeviceControllerServices::~DeviceControllerServices() = default;

std::vector<grpc::Service*> DeviceControllerServices::services() const {
  return {parts_->devices.get(), parts_->twins.get(), parts_->telemetry.get(),
          parts_->methods.get()};
}

void DeviceControllerServices::Publish(const DeviceName& device) {
  parts_->watches.Publish(device);
}

void DeviceControllerServices::SetFollowing(bool following) {
  parts_->watches.SetState(following ? absl::OkStatus() : NotLeader());
}

void DeviceControllerServices::Drain() {
  parts_->watches.SetState(
      Error(absl::StatusCode::kUnavailable, "the service is draining").Reason("DRAINING"));
}

}  // namespace skerry::devicecontroller
