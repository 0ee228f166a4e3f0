#include "services/eventbus-svc/wire/twin_messages.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::eventbus {
namespace {

constexpr char kType[] = "type";
constexpr char kUnknown[] = "unknown";
constexpr size_t kNameBytesMax = 512;

TwinSide SideOf(const twin::v1::Value& value) {
  const absl::StatusOr<absl::Time> time = rpc::FromProto(value.write_time());
  return {.value = value.value(), .timestamp_ms = time.ok() ? absl::ToUnixMillis(*time) : 0};
}

const std::string* TypeOf(const twin::v1::Value& value) {
  const auto it = value.metadata().find(kType);
  return it == value.metadata().end() || it->second.empty() ? nullptr : &it->second;
}

}  // namespace

std::string TwinNameOf(const DeviceName& device) {
  return absl::StrCat("namespaces/", device.device_namespace(), "/devices/", device.name(),
                      "/twin");
}

absl::StatusOr<DeviceName> DeviceOf(absl::string_view twin_name) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(twin_name.substr(0, kNameBytesMax), absl::MaxSplits('/', 5));
  if (parts.size() == 5 && parts[0] == "namespaces" && parts[2] == "devices" &&
      parts[4] == "twin") {
    absl::StatusOr<DeviceName> device = DeviceName::Make(parts[1], parts[3]);
    if (device.ok()) return device;
  }
  return InvalidField("name", twin_name.substr(0, kNameBytesMax),
                      "give namespaces/{namespace}/devices/{device}/twin");
}

TwinProperties PropertiesOf(const twin::v1::Twin& twin) {
  TwinProperties properties;
  for (const auto& [name, property] : twin.properties()) {
    if (!property.has_desired() && !property.has_reported()) continue;
    TwinProperty& each = properties[name];
    if (property.has_desired()) {
      each.expected = SideOf(property.desired());
      if (const std::string* type = TypeOf(property.desired())) each.type = *type;
    }
    if (property.has_reported()) {
      each.actual = SideOf(property.reported());
      if (const std::string* type = TypeOf(property.reported())) each.type = *type;
    }
  }
  return properties;
}

DeviceSummary SummaryOf(const DeviceName& device, const twin::v1::DeviceState& state) {
  DeviceSummary summary{.name = device};
  if (state.state() != kUnknown) summary.state = state.state();
  if (state.has_last_seen_time()) {
    const absl::StatusOr<absl::Time> time = rpc::FromProto(state.last_seen_time());
    if (time.ok()) summary.last_online = *time;
  }
  return summary;
}

twin::v1::WriteTwinRequest WriteRequestOf(const DeviceName& device, const TwinWrite& write,
                                          absl::string_view request_id) {
  twin::v1::WriteTwinRequest request;
  request.set_name(TwinNameOf(device));
  request.set_request_id(std::string(request_id));
  request.set_writer(kMqttWriter);
  request.set_whole_answer(true);
  for (const auto& [name, value] : write.expected) {
    auto& desired = (*request.mutable_desired())[name];
    desired.set_value(value.value);
    if (!value.type.empty()) (*desired.mutable_metadata())[kType] = value.type;
  }
  for (const auto& [name, value] : write.actual) {
    auto& reported = (*request.mutable_reported())[name];
    reported.set_value(value.value);
    if (!value.type.empty()) (*reported.mutable_metadata())[kType] = value.type;
  }
  for (const std::string& name : write.removed) request.add_remove(name);
  return request;
}

}  // namespace skerry::eventbus
