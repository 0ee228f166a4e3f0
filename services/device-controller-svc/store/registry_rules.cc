#include "services/device-controller-svc/store/registry_rules.h"

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/store_checks.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller::registry_rules {
namespace {

using store_checks::CheckText;

constexpr size_t kTextMax = RegistryStore::kTextBytesMax;

}  // namespace

absl::Status CheckObject(const RegisteredDevice& object) {
  SKERRY_RETURN_IF_ERROR(CheckText("uid", object.uid, 1, kTextMax));
  SKERRY_RETURN_IF_ERROR(CheckText("node", object.node, 0, kTextMax));
  SKERRY_RETURN_IF_ERROR(CheckText("model", object.model, 0, kTextMax));
  return CheckText("protocol", object.protocol, 0, kTextMax);
}

absl::Status CheckList(const DeviceFilter& filter, size_t count_max) {
  SKERRY_RETURN_IF_ERROR(CheckText("filter.namespace", filter.device_namespace, 0, kTextMax));
  SKERRY_RETURN_IF_ERROR(CheckText("filter.node", filter.node, 0, kTextMax));
  SKERRY_RETURN_IF_ERROR(CheckText("filter.model", filter.model, 0, kTextMax));
  return store_checks::CheckCount("count_max", count_max, RegistryStore::kListMax);
}

absl::Status CheckUid(absl::string_view uid) { return CheckText("uid", uid, 0, kTextMax); }

absl::Status CheckReason(bool enabled, absl::string_view reason) {
  return CheckText("reason", reason, enabled ? 0 : 1, RegistryStore::kReasonBytesMax);
}

DeviceRecord Recorded(const std::optional<DeviceRecord>& present, const RegisteredDevice& object) {
  if (!present.has_value()) return {.object = object};
  DeviceRecord record = *present;
  if (present->object.uid != object.uid) record.incarnation = 0;
  record.object = object;
  return record;
}

absl::StatusOr<DeviceRecord> Switched(const std::optional<DeviceRecord>& present,
                                      const DeviceName& device, bool enabled,
                                      absl::string_view reason,
                                      const std::optional<std::string>& expected_etag) {
  if (!present.has_value()) {
    return Error(absl::StatusCode::kNotFound, absl::StrCat("no device ", device.value()))
        .Reason("DEVICE_UNKNOWN")
        .Meta("device", device.value());
  }
  if (expected_etag.has_value() && *expected_etag != present->etag()) {
    return Error(absl::StatusCode::kAborted,
                 absl::StrCat("device ", device.value(), " has changed: its etag is ",
                              present->etag(), "; read it again"))
        .Reason("ETAG_MISMATCH")
        .Meta("device", device.value())
        .Meta("etag", present->etag());
  }
  DeviceRecord record = *present;
  record.enabled = enabled;
  record.disable_reason = enabled ? "" : std::string(reason);
  return record;
}

void Stamp(DeviceRecord& record, int64_t generation, absl::Time now) {
  record.generation = generation;
  record.update_time = now;
  if (record.incarnation != 0) return;
  record.incarnation = generation;
  record.create_time = now;
}

}  // namespace skerry::devicecontroller::registry_rules
