// DeviceTwinService: twins in the cloud.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_TWIN_SERVICE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_TWIN_SERVICE_H_

#include <memory>

#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_objects.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::devicecontroller {

// What is given outlives the server that serves it.
std::unique_ptr<grpc::Service> MakeDeviceTwinService(RegistryStore& registry,
                                                     TwinHistoryStore& twins,
                                                     DeviceObjects& objects, DeviceModels& models,
                                                     Clock& clock, exec::ThreadPool& pool,
                                                     ServiceMetrics& metrics, log::Logger log);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_TWIN_SERVICE_H_
