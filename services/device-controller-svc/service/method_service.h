// MethodService: calls of devices' methods.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_SERVICE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_SERVICE_H_

#include <cstddef>
#include <memory>

#include "services/device-controller-svc/service/commands.h"
#include "services/device-controller-svc/service/service_metrics.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/lib/exec/thread_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::devicecontroller {

// What is given outlives the server that serves it. `calls_max`: CallMethod under way; beyond,
// RESOURCE_EXHAUSTED / METHOD_CALLS_FULL. They take no thread while they wait.
std::unique_ptr<grpc::Service> MakeMethodService(RegistryStore& registry, Commands& commands,
                                                 size_t calls_max, exec::ThreadPool& pool,
                                                 ServiceMetrics& metrics);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_SERVICE_H_
