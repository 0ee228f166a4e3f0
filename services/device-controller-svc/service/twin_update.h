// UpdateDeviceTwin, from the request to what is written.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TWIN_UPDATE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TWIN_UPDATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.pb.h"
#include "services/device-controller-svc/service/core/desired_update.h"
#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"

namespace skerry::devicecontroller {

// Any thread may call these.

// INVALID_ARGUMENT names the field, the value and the fix.
absl::StatusOr<DesiredUpdate> UpdateFrom(const v1::UpdateDeviceTwinRequest& request);

// The desired side of `entries`.
std::map<std::string, DesiredEntry> PresentOf(const std::vector<TwinEntry>& entries);

// Whether `plan` fits the device's model, where that is known.
absl::Status CheckPlan(const DesiredPlan& plan, const DeviceRecord& record, DeviceModels& models);

// What GetDeviceTwin answers of these entries. `record`: null where the twin is one of former
// times.
v1::DeviceTwin TwinOf(const DeviceName& device, const std::vector<TwinEntry>& entries,
                      const DeviceRecord* record);

// What of `plan` is not in `entries` yet, as of an object of that generation. What is there already
// keeps its version.
std::vector<DesiredValue> ChangesOf(const DesiredPlan& plan, const std::vector<TwinEntry>& entries,
                                    const std::string& writer, absl::Time now, int64_t generation);
// `entries` with them.
void Overlay(const std::vector<DesiredValue>& changes, const std::string& uid,
             std::vector<TwinEntry>& entries);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TWIN_UPDATE_H_
