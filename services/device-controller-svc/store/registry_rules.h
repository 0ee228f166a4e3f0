// What both implementations of RegistryStore decide alike.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_RULES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_RULES_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/store/registry_store.h"

namespace skerry::devicecontroller::registry_rules {

absl::Status CheckObject(const RegisteredDevice& object);
absl::Status CheckList(const DeviceFilter& filter, size_t count_max);
// Empty: whichever.
absl::Status CheckUid(absl::string_view uid);
absl::Status CheckReason(bool enabled, absl::string_view reason);

// The record after Put, but for its generation where it is another one than `present`.
DeviceRecord Recorded(const std::optional<DeviceRecord>& present, const RegisteredDevice& object);
// The same for SetEnabled, or why not.
absl::StatusOr<DeviceRecord> Switched(const std::optional<DeviceRecord>& present,
                                      const DeviceName& device, bool enabled,
                                      absl::string_view reason,
                                      const std::optional<std::string>& expected_etag);
// Gives a changed record its generation and time. Of a new uid (incarnation 0) it is the first.
void Stamp(DeviceRecord& record, int64_t generation, absl::Time now);

}  // namespace skerry::devicecontroller::registry_rules

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_RULES_H_
