// The registry of devices: what is known of each, and whether an operator lets it take part.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// A Device object, as far as the registry keeps it.
struct RegisteredDevice {
  DeviceName device;
  std::string uid;    // Of the Kubernetes object. Required.
  std::string node;   // Empty: bound to none.
  std::string model;  // In the device's namespace.
  std::string protocol;

  bool operator==(const RegisteredDevice&) const = default;
};

// Times are the store's, in whole microseconds (UTC).
struct DeviceRecord {
  RegisteredDevice object;
  bool enabled = true;
  std::string disable_reason;  // Empty where it is enabled.
  // Goes up with each change, not always by one, and goes on going up where the device is deleted
  // and comes back.
  int64_t generation = 0;
  // That with which this uid was recorded: of two uids of a name the later has the higher one.
  int64_t incarnation = 0;
  absl::Time create_time;  // Of this uid's record.
  absl::Time update_time;

  // Another one after each change.
  std::string etag() const { return std::to_string(generation); }
  bool operator==(const DeviceRecord&) const = default;
};

// Empty fields match all.
struct DeviceFilter {
  std::string device_namespace;
  std::string node;
  std::string model;
  std::optional<bool> enabled;
};

// The store is the truth, and may be shared by several controllers. Whatever returned OK survives a
// crash and a loss of power. Any thread may call it; calls block. Texts that are too long are
// INVALID_ARGUMENT.
class RegistryStore {
 public:
  static constexpr size_t kTextBytesMax = 253;  // Of uid, node, model and protocol, each.
  static constexpr size_t kReasonBytesMax = 1024;
  static constexpr size_t kListMax = 1000;

  virtual ~RegistryStore() = default;

  // Records the object, now or again: where nothing differs nothing changes. What an operator set
  // holds, also for another uid: who deletes and applies a manifest enables no device. A new device
  // is enabled. The record as it is then.
  virtual absl::StatusOr<DeviceRecord> Put(const RegisteredDevice& object) = 0;
  virtual absl::StatusOr<std::optional<DeviceRecord>> Get(const DeviceName& device) = 0;
  // In the order of "namespace/name", bytewise, from behind `after` (none: from the first).
  // INVALID_ARGUMENT unless count_max is 1 to kListMax.
  virtual absl::StatusOr<std::vector<DeviceRecord>> List(const DeviceFilter& filter,
                                                         const std::optional<DeviceName>& after,
                                                         size_t count_max) = 0;
  // Whoever disables says why; `reason` is not kept where it enables. NOT_FOUND / DEVICE_UNKNOWN;
  // ABORTED / ETAG_MISMATCH with the present one as "etag" where another one is expected.
  virtual absl::StatusOr<DeviceRecord> SetEnabled(
      const DeviceName& device, bool enabled, absl::string_view reason,
      const std::optional<std::string>& expected_etag) = 0;
  // Forgets the device, and what an operator set. `uid`: only where it has that one; empty:
  // whichever. False where there is none. Its twin's history and its telemetry are not the
  // registry's: they stay until their retention ends.
  virtual absl::StatusOr<bool> Delete(const DeviceName& device, absl::string_view uid) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_H_
