#include "services/twin-svc/wire/twin_wire.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::twin {
namespace {

void Set(const Held<Value>& value, v1::Value* (v1::Property::*field)(), v1::Property& message) {
  if (value.has_value()) Fill(*value, *(message.*field)());
}

absl::StatusOr<Value> Read(const v1::Value& message) {
  Value value{.value = message.value(),
              .metadata = {message.metadata().begin(), message.metadata().end()},
              .writer = message.writer()};
  SKERRY_ASSIGN_OR_RETURN(value.time, rpc::FromProto(message.write_time()));
  return value;
}

absl::Status Get(bool present, const v1::Value& message, Held<Value>& value) {
  if (!present) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(value, Read(message));
  return absl::OkStatus();
}

size_t BytesOf(const Value& value) {
  constexpr size_t kFields = 32;  // Tags, lengths, the time.
  constexpr size_t kEntry = 12;
  size_t bytes = kFields + value.value.size() + value.writer.size();
  for (const auto& [key, text] : value.metadata) bytes += kEntry + key.size() + text.size();
  return bytes;
}

size_t BytesOf(const Held<Value>& value) { return value.has_value() ? BytesOf(*value) : 0; }

size_t BytesOf(const std::string& name, const Property& property) {
  constexpr size_t kFields = 48;
  size_t bytes = kFields + name.size() + BytesOf(property.cloud) + BytesOf(property.local) +
                 BytesOf(property.desired()) + BytesOf(property.reported);
  if (property.conflict.has_value()) {
    bytes += BytesOf(property.conflict->local);
    if (property.conflict->cloud.has_value()) bytes += BytesOf(*property.conflict->cloud);
  }
  return bytes;
}

size_t BytesBesides(const Twin& twin) {
  constexpr size_t kFields = 512;  // Names, the state's fields.
  return kFields + twin.uid.size() + twin.state.reason.size();
}

}  // namespace

size_t MessageBytesOf(const Twin& twin) {
  size_t bytes = BytesBesides(twin);
  for (const auto& [name, property] : twin.properties) bytes += BytesOf(name, property);
  return bytes;
}

size_t MessageBytesOf(const Twin& twin, const std::set<std::string>& properties) {
  size_t bytes = BytesBesides(twin);
  for (const std::string& name : properties) {
    const auto it = twin.properties.find(name);
    if (it != twin.properties.end()) bytes += BytesOf(name, it->second);
  }
  return bytes;
}

void Fill(const Value& value, v1::Value& message) {
  message.set_value(value.value);
  message.mutable_metadata()->insert(value.metadata.begin(), value.metadata.end());
  message.set_writer(value.writer);
  *message.mutable_write_time() = rpc::ToProto(value.time);
}

void Fill(const Conflict& conflict, v1::Property::Conflict& message) {
  Fill(conflict.local, *message.mutable_local());
  if (conflict.cloud.has_value()) Fill(*conflict.cloud, *message.mutable_cloud());
  message.set_generation(conflict.generation);
}

std::string TwinNameOf(const DeviceName& device) {
  return absl::StrCat("namespaces/", device.device_namespace(), "/devices/", device.name(),
                      "/twin");
}

absl::StatusOr<DeviceName> DeviceOf(absl::string_view field, absl::string_view twin_name) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(twin_name.substr(0, 512), absl::MaxSplits('/', 5));
  if (parts.size() == 5 && parts[0] == "namespaces" && parts[2] == "devices" &&
      parts[4] == "twin") {
    absl::StatusOr<DeviceName> device = DeviceName::Make(parts[1], parts[3]);
    if (device.ok()) return device;
  }
  return InvalidField(field, twin_name.substr(0, 512),
                      "give namespaces/{namespace}/devices/{device}/twin");
}

v1::Property ToProto(const Property& property) {
  v1::Property message;
  message.set_declared(property.declared);
  Set(property.cloud, &v1::Property::mutable_cloud_desired, message);
  Set(property.local, &v1::Property::mutable_local_desired, message);
  Set(property.reported, &v1::Property::mutable_reported, message);
  if (property.conflict.has_value()) {
    Fill(*property.conflict, *message.mutable_conflict());
  }
  message.set_desired_version(property.desired_version);
  message.set_reported_version(property.reported_version);
  return message;
}

absl::StatusOr<Property> FromProto(const v1::Property& message) {
  Property property{.declared = message.declared(),
                    .desired_version = message.desired_version(),
                    .reported_version = message.reported_version()};
  SKERRY_RETURN_IF_ERROR(Get(message.has_cloud_desired(), message.cloud_desired(), property.cloud));
  SKERRY_RETURN_IF_ERROR(Get(message.has_local_desired(), message.local_desired(), property.local));
  SKERRY_RETURN_IF_ERROR(Get(message.has_reported(), message.reported(), property.reported));
  if (message.has_conflict()) {
    Conflict conflict{.generation = message.conflict().generation()};
    SKERRY_ASSIGN_OR_RETURN(conflict.local, Read(message.conflict().local()));
    if (message.conflict().has_cloud()) {
      SKERRY_ASSIGN_OR_RETURN(conflict.cloud, Read(message.conflict().cloud()));
    }
    property.conflict = std::move(conflict);
  }
  return property;
}

v1::DeviceState ToProto(const DeviceState& state) {
  v1::DeviceState message;
  message.set_state(state.state);
  message.set_reason(state.reason);
  if (state.change_time.has_value()) {
    *message.mutable_change_time() = rpc::ToProto(*state.change_time);
  }
  if (state.last_seen.has_value()) {
    *message.mutable_last_seen_time() = rpc::ToProto(*state.last_seen);
  }
  message.set_writer(state.writer);
  return message;
}

absl::StatusOr<DeviceState> FromProto(const v1::DeviceState& message) {
  DeviceState state{
      .state = message.state(), .reason = message.reason(), .writer = message.writer()};
  if (message.has_change_time()) {
    SKERRY_ASSIGN_OR_RETURN(state.change_time, rpc::FromProto(message.change_time()));
  }
  if (message.has_last_seen_time()) {
    SKERRY_ASSIGN_OR_RETURN(state.last_seen, rpc::FromProto(message.last_seen_time()));
  }
  return state;
}

v1::Twin ToProto(const DeviceName& device, const Twin& twin,
                 const std::set<std::string>* properties) {
  v1::Twin message;
  message.set_name(TwinNameOf(device));
  message.set_uid(twin.uid);
  message.set_generation(twin.generation);
  message.set_version(twin.version);
  *message.mutable_state() = ToProto(twin.state);
  for (const auto& [name, property] : twin.properties) {
    if (properties != nullptr && properties->count(name) == 0) continue;
    v1::Property& each = (*message.mutable_properties())[name];
    each = ToProto(property);
    if (property.desired().has_value()) Fill(*property.desired(), *each.mutable_desired());
  }
  return message;
}

}  // namespace skerry::twin
