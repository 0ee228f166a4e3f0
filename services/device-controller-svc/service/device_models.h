// What is known of DeviceModels.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_MODELS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_MODELS_H_

#include <memory>

#include "services/lib/device/device_spec.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// Any thread may call it; it does not block.
class DeviceModels {
 public:
  virtual ~DeviceModels() = default;
  // Null where it is not known, or not valid: then its properties are not checked.
  virtual std::shared_ptr<const device::ModelSpec> Find(const ObjectKey& model) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_MODELS_H_
