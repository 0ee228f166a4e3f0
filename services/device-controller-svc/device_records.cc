#include "services/device-controller-svc/device_records.h"

#include <optional>
#include <set>
#include <utility>

#include "services/device-controller-svc/core/device_fields.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {

absl::StatusOr<DeviceRecord> DeviceRecords::Put(const KubeObject& device) {
  SKERRY_ASSIGN_OR_RETURN(DeviceName name, DeviceName::Parse(device.key()));
  const DeviceFields fields = FieldsOf(device);
  SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, store_.Put({.device = name,
                                                           .uid = device.uid(),
                                                           .node = fields.node,
                                                           .model = fields.model,
                                                           .protocol = fields.protocol}));
  Learn(record);
  return record;
}

absl::StatusOr<TwinKey> DeviceRecords::KeyOf(const KubeObject& device) {
  SKERRY_ASSIGN_OR_RETURN(DeviceName name, DeviceName::Parse(device.key()));
  {
    absl::MutexLock lock(&mutex_);
    const auto it = known_.find(device.key());
    if (it != known_.end() && it->second.uid == device.uid())
      return TwinKey{name, it->second.uid, it->second.incarnation};
  }
  SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, Put(device));
  return TwinKey{name, record.object.uid, record.incarnation};
}

absl::Status DeviceRecords::Delete(const DeviceName& device, const std::string& uid) {
  SKERRY_ASSIGN_OR_RETURN(bool deleted, store_.Delete(device, uid));
  bool known_here = false;
  bool switched = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = known_.find(device.value());
    if (it != known_.end() && it->second.uid == uid) {
      known_here = true;
      switched = !it->second.enabled;
      known_.erase(it);
    }
  }
  if (!deleted && !known_here) return absl::OkStatus();
  on_change_(
      {.record = {.object = {.device = device, .uid = uid}}, .gone = true, .switched = switched});
  return absl::OkStatus();
}

void DeviceRecords::Learn(const DeviceRecord& record) {
  Change change{.record = record};
  {
    absl::MutexLock lock(&mutex_);
    const auto [it, added] = known_.try_emplace(record.object.device.value());
    Known& known = it->second;
    if (!added && known.generation >= record.generation) return;
    change.switched = known.enabled != record.enabled;
    known = {record.object.uid, record.incarnation, record.generation, record.enabled};
  }
  on_change_(change);
}

absl::StatusOr<std::vector<DeviceRecord>> DeviceRecords::ListAll(const DeviceFilter& filter) {
  std::vector<DeviceRecord> all;
  std::optional<DeviceName> after;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(std::vector<DeviceRecord> page,
                            store_.List(filter, after, RegistryStore::kListMax));
    const bool last = page.size() < RegistryStore::kListMax;
    for (DeviceRecord& record : page) all.push_back(std::move(record));
    if (last) return all;
    after = all.back().object.device;
  }
}

absl::StatusOr<std::vector<std::string>> DeviceRecords::Load() {
  SKERRY_ASSIGN_OR_RETURN(std::vector<DeviceRecord> records, ListAll({}));
  std::vector<std::string> names;
  for (const DeviceRecord& record : records) {
    Learn(record);
    names.push_back(record.object.device.value());
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> DeviceRecords::FindSwitched() {
  SKERRY_ASSIGN_OR_RETURN(std::vector<DeviceRecord> records, ListAll({.enabled = false}));
  std::set<std::string> disabled;
  for (const DeviceRecord& record : records) disabled.insert(record.object.device.value());
  std::vector<std::string> switched;
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, known] : known_) {
    if (known.enabled == disabled.contains(name)) switched.push_back(name);
  }
  return switched;
}

bool DeviceRecords::IsDisabled(const std::string& device) const {
  absl::MutexLock lock(&mutex_);
  const auto it = known_.find(device);
  return it != known_.end() && !it->second.enabled;
}

}  // namespace skerry::devicecontroller
