// TelemetryService: what devices measured.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TELEMETRY_SERVICE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TELEMETRY_SERVICE_H_

#include <memory>

#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/exec/thread_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::devicecontroller {

// These outlive the server that serves it.
std::unique_ptr<grpc::Service> MakeTelemetryService(TelemetryStore& telemetry,
                                                    exec::ThreadPool& pool);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TELEMETRY_SERVICE_H_
