// Names of the API's resources.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_RESOURCE_NAMES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_RESOURCE_NAMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// "namespaces/{namespace}/devices/{device}", "…/twin", "…/methodCalls/{call}".
std::string DeviceResource(const DeviceName& device);
std::string TwinResource(const DeviceName& device);
std::string MethodCallResource(const DeviceName& device, absl::string_view call_id);

// INVALID_ARGUMENT names `field`, the text and the form.
absl::StatusOr<DeviceName> ParseDeviceResource(absl::string_view field, absl::string_view text);
absl::StatusOr<DeviceName> ParseTwinResource(absl::string_view field, absl::string_view text);
// "namespaces/{namespace}"; of "namespaces/-" empty, for all.
absl::StatusOr<std::string> ParseParent(absl::string_view field, absl::string_view text);

struct MethodCallName {
  DeviceName device;
  std::string call_id;
};
absl::StatusOr<MethodCallName> ParseMethodCallResource(absl::string_view field,
                                                       absl::string_view text);
// 1 to 64 bytes of printable ASCII without '/' and space. INVALID_ARGUMENT.
absl::Status CheckCallId(absl::string_view field, absl::string_view text);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_RESOURCE_NAMES_H_
