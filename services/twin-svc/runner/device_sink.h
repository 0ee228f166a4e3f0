// Who else is to know of the box's Devices.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_SINK_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_SINK_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/model/names.h"

namespace skerry::twin {

// Called by DeviceFollower, on its executor; must not block. An error says that the object can't be
// used, and that what was there stays.
class DeviceSink {
 public:
  virtual ~DeviceSink() = default;
  virtual absl::Status PutDevice(const device::DeviceSpec& spec, const nlohmann::json& device) = 0;
  virtual void DropDevice(const DeviceName& name) = 0;
  virtual absl::Status PutModel(const ObjectKey& name, const nlohmann::json& model) = 0;
  virtual void DropModel(const ObjectKey& name) = 0;
  // All that the box has was told.
  virtual void OnSynced() = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_DEVICE_SINK_H_
