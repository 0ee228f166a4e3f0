// DeviceStatus objects (devices.kubeedge.io/v1beta1): how a device is, as KubeEdge's users read it.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_STATUS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_STATUS_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::devicecontroller {

struct StatusValue {
  std::string value;
  std::map<std::string, std::string> metadata;

  bool operator==(const StatusValue&) const = default;
};

struct StatusTwin {
  std::string property;
  std::optional<StatusValue> reported;
  std::optional<StatusValue> observed_desired;

  bool operator==(const StatusTwin&) const = default;
};

struct DeviceStatusValue {
  std::vector<StatusTwin> twins;  // In the order in which they are shown.
  std::string state;              // Empty: not known.
  std::string last_online_time;   // RFC 3339. Empty: never.

  bool operator==(const DeviceStatusValue&) const = default;
};

// What belongs to a device: the Device of that name and uid.
struct StatusOwner {
  std::string object_namespace;
  std::string name;
  std::string uid;
};

// Whole, owned by the Device, so that the API server's garbage collection takes it with that.
std::string NewDeviceStatus(const StatusOwner& owner, const DeviceStatusValue& status);

// Whether the object names that Device as its owner. One that names another is of a former Device.
bool IsOwnedBy(const nlohmann::json& object, absl::string_view uid);
// Whether it names none: who applies manifests of a backup makes such.
bool HasNoOwner(const nlohmann::json& object);

// A merge patch that makes the object say so, on condition of its resourceVersion; what others put
// there (labels, extensions) stays. Empty where it says so already.
std::string PlanDeviceStatus(const nlohmann::json& object, const StatusOwner& owner,
                             const DeviceStatusValue& status);

// As that, of an object that is known by its version only: all that it is to say.
std::string DeviceStatusPatch(const std::string& resource_version, const DeviceStatusValue& status);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DEVICE_STATUS_H_
