#include "services/twin-svc/runner/device_follower.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/twin-svc/wire/declaration.h"

namespace skerry::twin {

void DeviceFollower::OnObject(const std::string& type, const std::string& key,
                              const std::string& json) {
  absl::Status taken;
  if (type == kDevices) {
    const absl::StatusOr<DeviceName> name = DeviceName::Parse(key);
    taken = name.ok() ? TakeDevice(*name, json) : name.status();
  } else {
    const absl::StatusOr<ObjectKey> name = ObjectKey::Parse(key);
    taken = name.ok() ? TakeModel(*name, json) : name.status();
  }
  if (taken.ok()) return;
  metrics_.objects_refused.Increment();
  log_.Error("object can't be used", taken, {{"type", type}, {"key", key}});
}

absl::Status DeviceFollower::TakeDevice(const DeviceName& name, const std::string& json) {
  bound_.insert(name);
  SKERRY_ASSIGN_OR_RETURN(const kubeapi::Json object, kubeapi::ParseJson(json));
  SKERRY_ASSIGN_OR_RETURN(device::DeviceSpec spec, device::ParseDevice(object));
  if (spec.name != name) {
    return InvalidField("metadata.name", spec.name.value(), absl::StrCat("give ", name.value()));
  }
  const device::DeviceSpec& kept = devices_.insert_or_assign(name, std::move(spec)).first->second;
  Declare(name, kept);
  return sink_ == nullptr ? absl::OkStatus() : sink_->PutDevice(kept, object);
}

absl::Status DeviceFollower::TakeModel(const ObjectKey& name, const std::string& json) {
  SKERRY_ASSIGN_OR_RETURN(const kubeapi::Json object, kubeapi::ParseJson(json));
  SKERRY_ASSIGN_OR_RETURN(device::ModelSpec spec, device::ParseModel(object));
  auto models = std::make_shared<Models>();
  for (device::PropertyModel& property : spec.properties) {
    const std::string property_name = property.name;
    models->emplace(property_name, std::move(property));
  }
  ModelChanged(name, std::move(models));
  return sink_ == nullptr ? absl::OkStatus() : sink_->PutModel(name, object);
}

void DeviceFollower::ModelChanged(const ObjectKey& name, std::shared_ptr<const Models> models) {
  if (models != nullptr) {
    models_[name] = std::move(models);
  } else {
    models_.erase(name);
  }
  for (const auto& [device, spec] : devices_) {
    if (spec.model == name) Declare(device, spec);
  }
}

void DeviceFollower::Declare(const DeviceName& name, const device::DeviceSpec& spec) {
  const auto model = models_.find(spec.model);
  desk_.Declare(name, DeclarationOf(spec, clock_.Now()),
                model == models_.end() ? nullptr : model->second);
}

void DeviceFollower::OnObjectDeleted(const std::string& type, const std::string& key) {
  if (type == kDevices) {
    const absl::StatusOr<DeviceName> name = DeviceName::Parse(key);
    if (!name.ok()) return;
    bound_.erase(*name);
    devices_.erase(*name);
    desk_.Undeclare(*name);
    if (sink_ != nullptr) sink_->DropDevice(*name);
  } else if (const absl::StatusOr<ObjectKey> name = ObjectKey::Parse(key); name.ok()) {
    ModelChanged(*name, nullptr);
    if (sink_ != nullptr) sink_->DropModel(*name);
  }
}

void DeviceFollower::OnSynced() {
  desk_.KeepOnly(bound_);
  if (sink_ != nullptr) sink_->OnSynced();
}

void DeviceFollower::OnConnected(bool connected) {
  metrics_.meta_connected.Set(connected ? 1 : 0);
  on_connected_(connected);
}

}  // namespace skerry::twin
