#include "services/mappers/lib/device_table.h"

#include <google/protobuf/util/message_differencer.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/mappers/lib/device_setup.h"

namespace skerry::mapper {
namespace {

// Maps in a message have no order, so its bytes say nothing.
template <typename Message>
bool Same(const Message& a, const Message& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

std::string ModelKey(absl::string_view model_namespace, absl::string_view name) {
  return absl::StrCat(model_namespace, "/", name);
}

}  // namespace

DeviceTable::DeviceTable(const Options& options, const DeviceRunner::Context& context)
    : options_(options),
      context_(context),
      seed_(options.seed),
      reaper_("mapper-reaper", context.clock) {}

DeviceTable::~DeviceTable() { reaper_.Stop(); }

absl::StatusOr<DeviceSetup> DeviceTable::SetUpDevice(const v1beta1::Device& device) const {
  const std::string& protocol = device.spec().protocol().protocolname();
  if (protocol != options_.protocol) {
    return InvalidField("protocol.protocolName", protocol,
                        absl::StrCat("this mapper speaks ", options_.protocol))
        .Reason("PROTOCOL_MISMATCH");
  }
  const std::string key = ModelKey(device.namespace_(), device.spec().devicemodelreference());
  const auto model = models_.find(key);
  if (model == models_.end()) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("the device model ", key, " is not known here: create it first"))
        .Reason("MODEL_UNKNOWN")
        .Meta("model", key);
  }
  SKERRY_ASSIGN_OR_RETURN(DeviceSetup setup, MakeSetup(device, model->second));
  SKERRY_RETURN_IF_ERROR(context_.driver.Validate(*setup.device));
  return setup;
}

absl::Status DeviceTable::Put(const v1beta1::Device& device) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName name,
                          DeviceName::Make(device.namespace_(), device.name()));
  const auto known = devices_.find(name);
  if (known != devices_.end() && Same(known->second->device().message, device)) {
    return absl::OkStatus();
  }
  SKERRY_ASSIGN_OR_RETURN(DeviceSetup setup, SetUpDevice(device));
  if (known != devices_.end()) {
    known->second->Replan(std::move(setup));
    return absl::OkStatus();
  }
  if (devices_.size() + retiring_ >= options_.devices_max) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("this mapper has its ", options_.devices_max, " devices already"))
        .Reason("DEVICES_FULL")
        .Meta("devices_max", absl::StrCat(options_.devices_max));
  }
  auto runner =
      std::make_shared<DeviceRunner>(std::move(setup), link_up_, seed_ += 1000003, context_);
  devices_.emplace(name, runner);
  CountDevices();
  runner->Start();
  return absl::OkStatus();
}

absl::Status DeviceTable::PutDevice(const v1beta1::Device& device) {
  const absl::Status status = Put(device);
  if (!status.ok()) context_.metrics.devices_refused.Increment();
  const auto name = DeviceName::Make(device.namespace_(), device.name());
  if (name.ok()) changed_devices_.insert(*name);
  return status;
}

void DeviceTable::Remove(const DeviceName& name) {
  const auto known = devices_.find(name);
  if (known == devices_.end()) return;
  std::shared_ptr<DeviceLane> lane = known->second->Retire();
  devices_.erase(known);
  CountDevices();
  ++retiring_;
  reaper_.Post([this, lane = std::move(lane)] {
    lane->Stop();
    --retiring_;
  });
}

absl::Status DeviceTable::RemoveDevice(const DeviceName& name) {
  changed_devices_.insert(name);
  Remove(name);
  return absl::OkStatus();
}

absl::Status DeviceTable::PutModel(const v1beta1::DeviceModel& model) {
  const std::string key = ModelKey(model.namespace_(), model.name());
  if (!DeviceName::Make(model.namespace_(), model.name()).ok()) {
    return InvalidField("model.name", key, "give a namespace and a name, as Kubernetes has them");
  }
  changed_models_.insert(key);
  const auto known = models_.find(key);
  if (known != models_.end() && Same(known->second, model)) return absl::OkStatus();
  if (known == models_.end() && models_.size() >= options_.models_max) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("this mapper has its ", options_.models_max, " models already"))
        .Reason("MODELS_FULL");
  }
  models_[key] = model;
  for (const auto& [name, runner] : devices_) {
    const v1beta1::Device& device = runner->device().message;
    if (ModelKey(device.namespace_(), device.spec().devicemodelreference()) != key) continue;
    absl::StatusOr<DeviceSetup> setup = SetUpDevice(device);
    if (setup.ok()) {
      runner->Replan(*std::move(setup));
    } else {
      context_.log.Warning("a device does not suit its new model and goes on with the former",
                           setup.status(), {{"device", name.value()}});
    }
  }
  return absl::OkStatus();
}

absl::Status DeviceTable::RemoveModel(const DeviceName& name) {
  const std::string key = ModelKey(name.device_namespace(), name.name());
  changed_models_.insert(key);
  models_.erase(key);
  return absl::OkStatus();
}

absl::StatusOr<DeviceRunner*> DeviceTable::Find(const DeviceName& name) const {
  const auto known = devices_.find(name);
  if (known != devices_.end()) return known->second.get();
  return Error(absl::StatusCode::kNotFound, absl::StrCat("no device ", name.value(), " here"))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", name.value());
}

absl::StatusOr<v1beta1::Device> DeviceTable::GetDevice(const DeviceName& name) const {
  SKERRY_ASSIGN_OR_RETURN(const DeviceRunner* runner, Find(name));
  return runner->device().message;
}

void DeviceTable::BeginSync() {
  changed_models_.clear();
  changed_devices_.clear();
}

void DeviceTable::Sync(const v1beta1::MapperRegisterResponse& all) {
  const std::set<std::string> newer_models = changed_models_;
  std::set<std::string> models;
  for (const v1beta1::DeviceModel& model : all.modellist()) {
    const std::string key = ModelKey(model.namespace_(), model.name());
    // A model may come with each of its devices.
    if (!models.insert(key).second || newer_models.count(key) != 0) continue;
    const absl::Status status = PutModel(model);
    if (!status.ok()) {
      context_.log.Error("a device model can't be taken", status, {{"model", key}});
    }
  }
  std::set<DeviceName> named = changed_devices_;
  for (const v1beta1::Device& device : all.devicelist()) {
    const auto name = DeviceName::Make(device.namespace_(), device.name());
    if (name.ok() && !named.insert(*name).second) continue;
    const absl::Status status = Put(device);
    if (status.ok()) continue;
    context_.metrics.devices_refused.Increment();
    context_.log.Error("a device can't be taken", status,
                       {{"device", ModelKey(device.namespace_(), device.name())}});
  }
  std::vector<DeviceName> gone;
  for (const auto& [name, runner] : devices_) {
    if (named.count(name) == 0) gone.push_back(name);
  }
  for (const DeviceName& name : gone) Remove(name);
  for (auto it = models_.begin(); it != models_.end();) {
    const bool keep = models.count(it->first) != 0 || newer_models.count(it->first) != 0;
    it = keep ? std::next(it) : models_.erase(it);
  }
}

void DeviceTable::SetLink(bool up) {
  if (std::exchange(link_up_, up) == up) return;
  for (const auto& [name, runner] : devices_) runner->SetLink(up);
}

void DeviceTable::CountDevices() {
  context_.metrics.devices.Set(static_cast<double>(devices_.size()));
}

std::vector<std::shared_ptr<DeviceLane>> DeviceTable::Retire() {
  std::vector<std::shared_ptr<DeviceLane>> lanes;
  for (const auto& [name, runner] : devices_) lanes.push_back(runner->Retire());
  devices_.clear();
  CountDevices();
  return lanes;
}

}  // namespace skerry::mapper
