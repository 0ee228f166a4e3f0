#include "services/device-controller-svc/service/testing/fake_device_objects.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using Json = nlohmann::json;

// Null where the spec does not name it.
Json* PropertyOf(Json& device, const std::string& name) {
  for (Json& property : device["spec"]["properties"]) {
    if (property["name"] == name) return &property;
  }
  return nullptr;
}

std::optional<std::string> DesiredOf(const Json* property) {
  if (property == nullptr || !property->contains("desired")) return std::nullopt;
  return (*property)["desired"]["value"].get<std::string>();
}

void SetTo(Json& property, const std::optional<std::string>& value) {
  property.erase("desired");
  if (value.has_value()) property["desired"]["value"] = *value;
}

}  // namespace

absl::Status FakeDeviceObjects::CallHook(const DeviceName& device) {
  std::function<absl::Status(const DeviceName&)> hook;
  {
    absl::MutexLock lock(&mutex_);
    hook = hook_;
  }
  return hook == nullptr ? absl::OkStatus() : hook(device);
}

absl::StatusOr<WrittenObject> FakeDeviceObjects::CreateOrUpdate(const Json& device,
                                                                const std::string&,
                                                                const rpc::CallScope&) {
  const DeviceName name = *DeviceName::Make(device["metadata"]["namespace"].get<std::string>(),
                                            device["metadata"]["name"].get<std::string>());
  SKERRY_RETURN_IF_ERROR(CallHook(name));
  absl::MutexLock lock(&mutex_);
  Object& object = objects_[name];
  WrittenObject written;
  if (object.uid.empty()) {
    written.outcome = WrittenObject::Outcome::kCreated;
    object.uid = absl::StrCat("uid-", ++last_uid_);
  } else if (object.device["spec"] != device["spec"]) {
    written.outcome = WrittenObject::Outcome::kUpdated;
  }
  if (written.outcome != WrittenObject::Outcome::kUnchanged) ++object.generation;
  object.device = device;
  written.uid = object.uid;
  written.generation = object.generation;
  return written;
}

absl::StatusOr<WrittenObject> FakeDeviceObjects::SetDesired(const DesiredChange& change,
                                                            const rpc::CallScope&) {
  SKERRY_RETURN_IF_ERROR(CallHook(change.device));
  absl::MutexLock lock(&mutex_);
  const auto it = objects_.find(change.device);
  if (it == objects_.end())
    return Error(absl::StatusCode::kNotFound, "no such object").Reason("DEVICE_UNKNOWN");
  Object& object = it->second;
  if (object.uid != change.uid)
    return Error(absl::StatusCode::kAborted, "another one").Reason("ETAG_MISMATCH");
  for (const auto& [property, expected] : change.expected) {
    const std::optional<std::string> there = DesiredOf(PropertyOf(object.device, property));
    if (there == expected) continue;
    Error error(absl::StatusCode::kAborted, absl::StrCat(property, " has changed"));
    error.Reason("DESIRED_CHANGED").Meta("property", property).Meta("writer", "kubectl");
    if (there.has_value()) error.Meta("value", *there);
    return error;
  }
  Json after = object.device;
  for (const auto& [name, value] : change.values) {
    Json* property = PropertyOf(after, name);
    if (property == nullptr && value.has_value()) {
      return Error(absl::StatusCode::kInvalidArgument, "not in the spec")
          .Reason("PROPERTY_UNKNOWN")
          .Meta("property", name);
    }
    if (property != nullptr && DesiredOf(property) != value) SetTo(*property, value);
  }
  WrittenObject written{.uid = object.uid};
  if (after != object.device) {
    written.outcome = WrittenObject::Outcome::kUpdated;
    ++object.generation;
    object.device = std::move(after);
  }
  written.generation = object.generation;
  return written;
}

void FakeDeviceObjects::SetHook(std::function<absl::Status(const DeviceName&)> hook) {
  absl::MutexLock lock(&mutex_);
  hook_ = std::move(hook);
}

void FakeDeviceObjects::Write(const DeviceName& device, const std::string& property,
                              const std::string& value) {
  absl::MutexLock lock(&mutex_);
  Object& object = objects_.at(device);
  SetTo(*PropertyOf(object.device, property),
        value.empty() ? std::nullopt : std::make_optional(value));
  ++object.generation;
}

Json FakeDeviceObjects::Peek(const DeviceName& device) const {
  absl::MutexLock lock(&mutex_);
  const auto it = objects_.find(device);
  return it == objects_.end() ? Json() : it->second.device;
}

std::string FakeDeviceObjects::uid(const DeviceName& device) const {
  absl::MutexLock lock(&mutex_);
  return objects_.at(device).uid;
}

std::shared_ptr<const device::ModelSpec> FakeDeviceModels::Find(const ObjectKey& model) {
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(model);
  return it == models_.end() ? nullptr : it->second;
}

void FakeDeviceModels::Put(const Json& model) {
  auto spec = std::make_shared<const device::ModelSpec>(*device::ParseModel(model));
  absl::MutexLock lock(&mutex_);
  models_[spec->name] = spec;
}

}  // namespace skerry::devicecontroller
