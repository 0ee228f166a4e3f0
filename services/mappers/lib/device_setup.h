// A device as twin-svc describes it, turned into what its driver and its cycles need.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_DEVICE_SETUP_H_
#define SKERRY_SERVICES_MAPPERS_LIB_DEVICE_SETUP_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/mappers/lib/core/device_plan.h"
#include "services/mappers/lib/driver.h"

namespace skerry::mapper {

// Cycles outside are brought to the nearest one, which is a warning: KubeEdge takes any.
constexpr absl::Duration kCycleMin = absl::Milliseconds(10);
constexpr absl::Duration kCycleMax = absl::Hours(24);
constexpr size_t kPropertiesMax = 1000;

struct DeviceSetup {
  std::shared_ptr<const DriverDevice> device;
  DevicePlan plan;
  std::vector<absl::Status> warnings;  // What is passed over.
};

// `model` is the one that the device names. INVALID_ARGUMENT names the field, its value and the
// fix.
//
// A desired value that the model does not allow is a warning and is not written: twin-svc keeps
// such values out, and the rest of the device works. Of each property, configData of the visitor
// may hold reportOnChange (true, false) and deadBand (a number, at least 0).
absl::StatusOr<DeviceSetup> MakeSetup(const v1beta1::Device& device,
                                      const v1beta1::DeviceModel& model);

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_DEVICE_SETUP_H_
