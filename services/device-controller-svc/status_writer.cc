#include "services/device-controller-svc/status_writer.h"

#include <nlohmann/json.hpp>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

constexpr int kConflictRetries = 5;

std::string KeyOf(const StatusOwner& owner) {
  return absl::StrCat(owner.object_namespace, "/", owner.name);
}

}  // namespace

absl::StatusOr<bool> StatusWriter::Write(const KubeObject& device,
                                         const DeviceStatusValue& status) {
  const StatusOwner owner{device.object_namespace(), device.name(), device.uid()};
  const uint64_t fingerprint = absl::HashOf(NewDeviceStatus(owner, status));
  if (const std::optional<Written> written = Recall(owner)) {
    if (written->fingerprint == fingerprint) return false;
    SKERRY_ASSIGN_OR_RETURN(const bool done,
                            Patch(owner, DeviceStatusPatch(written->version, status), fingerprint));
    if (done) return true;
  }
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    const absl::StatusOr<KubeObject> present =
        client_.Get(DeviceStatuses(), owner.object_namespace, owner.name, Call());
    if (absl::IsNotFound(present.status())) {
      const absl::Status created = Create(owner, status, fingerprint);
      if (created.ok()) return true;
      if (!absl::IsAlreadyExists(created)) return created;
      continue;
    }
    SKERRY_RETURN_IF_ERROR(present.status());
    const nlohmann::json object = present->Json();
    if (!HasNoOwner(object) && !IsOwnedBy(object, owner.uid)) {
      // Of a former Device of this name; its end is only not there yet.
      const absl::Status deleted =
          client_.Delete(DeviceStatuses(), owner.object_namespace, owner.name,
                         {.uid = present->uid(), .call = Call()});
      if (!deleted.ok() && !absl::IsNotFound(deleted) && !absl::IsAborted(deleted)) return deleted;
      continue;
    }
    const std::string patch = PlanDeviceStatus(object, owner, status);
    if (patch.empty()) {
      Remember(owner, present->resource_version(), fingerprint);
      return false;
    }
    SKERRY_ASSIGN_OR_RETURN(const bool done, Patch(owner, patch, fingerprint));
    if (done) return true;
  }
  return absl::AbortedError("the DeviceStatus changes too fast");
}

absl::StatusOr<bool> StatusWriter::Patch(const StatusOwner& owner, const std::string& patch,
                                         uint64_t fingerprint) {
  const absl::StatusOr<KubeObject> patched =
      client_.Patch(DeviceStatuses(), owner.object_namespace, owner.name,
                    kubeclient::PatchType::kMerge, patch, {.call = Call()});
  if (absl::IsAborted(patched.status()) || absl::IsNotFound(patched.status())) return false;
  SKERRY_RETURN_IF_ERROR(patched.status());
  Remember(owner, patched->resource_version(), fingerprint);
  return true;
}

absl::Status StatusWriter::Create(const StatusOwner& owner, const DeviceStatusValue& status,
                                  uint64_t fingerprint) {
  SKERRY_ASSIGN_OR_RETURN(const KubeObject created,
                          client_.Create(DeviceStatuses(), owner.object_namespace,
                                         NewDeviceStatus(owner, status), Call()));
  Remember(owner, created.resource_version(), fingerprint);
  return absl::OkStatus();
}

absl::Status StatusWriter::Delete(const StatusOwner& device) {
  {
    absl::MutexLock lock(&mutex_);
    const auto it = written_.find(KeyOf(device));
    if (it != written_.end() && it->second.uid == device.uid) written_.erase(it);
  }
  const absl::StatusOr<KubeObject> present =
      client_.Get(DeviceStatuses(), device.object_namespace, device.name, Call());
  if (absl::IsNotFound(present.status())) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(present.status());
  if (!IsOwnedBy(present->Json(), device.uid)) return absl::OkStatus();
  const absl::Status deleted = client_.Delete(DeviceStatuses(), device.object_namespace,
                                              device.name, {.uid = present->uid(), .call = Call()});
  return absl::IsNotFound(deleted) ? absl::OkStatus() : deleted;
}

void StatusWriter::Remember(const StatusOwner& owner, const std::string& version,
                            uint64_t fingerprint) {
  absl::MutexLock lock(&mutex_);
  written_[KeyOf(owner)] = {owner.uid, version, fingerprint};
}

std::optional<StatusWriter::Written> StatusWriter::Recall(const StatusOwner& owner) const {
  absl::MutexLock lock(&mutex_);
  const auto it = written_.find(KeyOf(owner));
  if (it == written_.end() || it->second.uid != owner.uid) return std::nullopt;
  return it->second;
}

}  // namespace skerry::devicecontroller
