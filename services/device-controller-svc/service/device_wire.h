// Records and twins as messages of the API.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WIRE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WIRE_H_

#include <string>

#include "absl/status/status.h"
#include "api/skerry/devicecontroller/v1/device_service.pb.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.pb.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::devicecontroller {

v1::Device ToProto(const DeviceRecord& record);
v1::TwinValue ToProto(const TwinEntry& entry);

// NOT_FOUND / DEVICE_UNKNOWN.
absl::Status DeviceUnknown(const DeviceName& device);

// How the caller is named where something is recorded: by its certificate; without one, "cloud".
std::string WriterOf(const rpc::CallScope& scope);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_WIRE_H_
