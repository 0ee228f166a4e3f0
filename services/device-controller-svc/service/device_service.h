// DeviceService: the registry, and Device objects in bulk.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_SERVICE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_SERVICE_H_

#include <functional>
#include <memory>

#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_objects.h"
#include "services/device-controller-svc/service/device_watches.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::devicecontroller {

// What is given outlives the server that serves it. `on_switched`: EnableDevice or DisableDevice
// has written the record; called on the pool. Who may call it is the server's method policy.
std::unique_ptr<grpc::Service> MakeDeviceService(
    RegistryStore& registry, DeviceWatches& watches, DeviceObjects& objects, DeviceModels& models,
    std::function<void(const DeviceRecord&)> on_switched, exec::ThreadPool& pool,
    ServiceMetrics& metrics, log::Logger log);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_SERVICE_H_
