#include "services/twin-svc/dmi/wanted_devices.h"

#include <optional>
#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {
namespace {

constexpr size_t kItemBytes = 16;    // Beside the message, in an answer.
constexpr size_t kRoomBytes = 4096;  // Less is no room for most devices.

// What holds, in place of what the Device says.
void SetDesired(const Twin& twin, v1beta1::Device& device) {
  for (v1beta1::DeviceProperty& property : *device.mutable_spec()->mutable_properties()) {
    v1beta1::TwinProperty& desired = *property.mutable_desired();
    desired.Clear();
    const auto known = twin.properties.find(property.name());
    if (known == twin.properties.end() || !known->second.desired().has_value()) continue;
    const Value& value = *known->second.desired();
    desired.set_value(value.value);
    desired.mutable_metadata()->insert(value.metadata.begin(), value.metadata.end());
  }
}

}  // namespace

absl::StatusOr<v1beta1::Device> WantedDevices::Message(const DeviceName& name) const {
  SKERRY_ASSIGN_OR_RETURN(const TwinPtr twin, twins_.Get(name));
  SKERRY_ASSIGN_OR_RETURN(v1beta1::Device device, catalog_.Device(name));
  SetDesired(*twin, device);
  return device;
}

void WantedDevices::UpdateDevice(const DeviceName& name) {
  const std::optional<DeviceCatalog::Entry> entry = catalog_.Find(name);
  if (!entry.has_value() || entry->protocol.empty()) return Drop(name);
  const absl::StatusOr<v1beta1::Device> message = Message(name);
  if (message.ok()) return Want(name, entry->protocol, {FingerprintOf(*message), entry->model});
  if (absl::IsNotFound(message.status())) return Drop(name);
  metrics_.devices_refused.Increment();
  log_.Error("the device does not suit its model: no mapper is told of it as it is now",
             message.status(), {{"device", name.value()}});
}

void WantedDevices::Want(const DeviceName& name, const std::string& protocol_name, Device device) {
  Protocol& protocol = protocols_[protocol_name];
  const auto known = protocol.devices.find(name);
  if (known != protocol.devices.end() && known->second.model == device.model) {
    known->second = device;
  } else {
    Drop(name);
    if (++protocol.models[device.model] == 1 && protocol.sync != nullptr) {
      protocol.sync->WantModel(device.model.value(), FingerprintOfModel(device.model));
    }
    protocol.devices.insert_or_assign(name, device);
    protocol_of_[name] = protocol_name;
  }
  if (protocol.sync != nullptr) protocol.sync->WantDevice(name.value(), device.fingerprint);
}

void WantedDevices::Drop(const DeviceName& name) {
  const auto known = protocol_of_.find(name);
  if (known == protocol_of_.end()) return;
  Protocol& protocol = protocols_.at(known->second);
  protocol_of_.erase(known);
  const ObjectKey model = protocol.devices.at(name).model;
  protocol.devices.erase(name);
  if (protocol.sync != nullptr) protocol.sync->DropDevice(name.value());
  if (--protocol.models[model] > 0) return;
  protocol.models.erase(model);
  if (protocol.sync != nullptr) protocol.sync->DropModel(model.value());
}

std::string WantedDevices::FingerprintOfModel(const ObjectKey& name) const {
  const absl::StatusOr<v1beta1::DeviceModel> model = catalog_.Model(name);
  return model.ok() ? FingerprintOf(*model) : "?";  // It is gone just now: its devices go, too.
}

void WantedDevices::UpdateModel(const ObjectKey& name) {
  const absl::StatusOr<v1beta1::DeviceModel> model = catalog_.Model(name);
  if (!model.ok()) return;
  const std::string fingerprint = FingerprintOf(*model);
  for (auto& [protocol_name, protocol] : protocols_) {
    if (protocol.sync == nullptr || protocol.models.count(name) == 0) continue;
    protocol.sync->WantModel(name.value(), fingerprint);
  }
}

void WantedDevices::SetMapper(const std::string& protocol_name, MapperSync* sync) {
  Protocol& protocol = protocols_[protocol_name];
  if (protocol.sync == sync) return;
  MapperSync* const before = std::exchange(protocol.sync, sync);
  for (const auto& [name, device] : protocol.devices) {
    if (before != nullptr) before->DropDevice(name.value());
    if (sync != nullptr) sync->WantDevice(name.value(), device.fingerprint);
  }
  for (const auto& [name, devices] : protocol.models) {
    if (before != nullptr) before->DropModel(name.value());
    if (sync != nullptr) sync->WantModel(name.value(), FingerprintOfModel(name));
  }
}

std::vector<DeviceName> WantedDevices::DevicesOf(const std::string& protocol_name,
                                                 const std::optional<DeviceName>& after,
                                                 size_t count_max) const {
  std::vector<DeviceName> names;
  const auto protocol = protocols_.find(protocol_name);
  if (protocol == protocols_.end()) return names;
  const auto& devices = protocol->second.devices;
  auto next = after.has_value() ? devices.upper_bound(*after) : devices.begin();
  for (; next != devices.end() && names.size() < count_max; ++next) names.push_back(next->first);
  return names;
}

v1beta1::MapperRegisterResponse WantedDevices::Answer(const std::string& protocol_name,
                                                      size_t bytes_max,
                                                      MapperSync::LeftOut& left_out) const {
  v1beta1::MapperRegisterResponse response;
  const auto protocol = protocols_.find(protocol_name);
  if (protocol == protocols_.end()) return response;
  size_t bytes = 0;
  // Whether the message has room: then it is added.
  const auto add = [&](auto message, auto& list) {
    if (!message.ok() || bytes + message->ByteSizeLong() > bytes_max) return false;
    bytes += message->ByteSizeLong() + kItemBytes;
    *list.Add() = *std::move(message);
    return true;
  };
  for (const auto& [name, devices] : protocol->second.models) {
    if (!add(catalog_.Model(name), *response.mutable_modellist())) {
      left_out.models.insert(name.value());
    }
  }
  for (const auto& [name, device] : protocol->second.devices) {
    // Without its model a mapper does not take it; without room there is no need to look.
    const bool useless = left_out.models.count(device.model.value()) > 0 ||
                         (!left_out.devices.empty() && bytes + kRoomBytes > bytes_max);
    if (useless || !add(Message(name), *response.mutable_devicelist())) {
      left_out.devices.insert(name.value());
    }
  }
  return response;
}

}  // namespace skerry::twin
