// Whether what a device declares is what its model allows.
#ifndef SKERRY_SERVICES_LIB_DEVICE_DESIRED_VALUES_H_
#define SKERRY_SERVICES_LIB_DEVICE_DESIRED_VALUES_H_

#include "absl/status/status.h"
#include "services/lib/device/device_spec.h"

namespace skerry::device {

// INVALID_ARGUMENT / DESIRED_INVALID names every desired value that `model` does not allow
// (CheckDesired) or has no property for, and what to do: the first ten, and how many more there
// are. A property without a desired value is not checked. `model` is the one that the device
// refers to; any thread may call this.
absl::Status CheckDesiredValues(const DeviceSpec& device, const ModelSpec& model);

}  // namespace skerry::device

#endif  // SKERRY_SERVICES_LIB_DEVICE_DESIRED_VALUES_H_
