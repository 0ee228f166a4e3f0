#include "services/device-controller-svc/core/device_status.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "services/lib/kubeapi/json.h"

namespace skerry::devicecontroller {
namespace {

using kubeapi::Json;

constexpr char kApiVersion[] = "devices.kubeedge.io/v1beta1";

Json ValueJson(const StatusValue& value) {
  Json json = {{"value", value.value}};
  if (!value.metadata.empty()) json["metadata"] = value.metadata;
  return json;
}

Json TwinsJson(const DeviceStatusValue& status) {
  Json twins = Json::array();
  for (const StatusTwin& twin : status.twins) {
    Json json = {{"propertyName", twin.property}};
    if (twin.reported.has_value()) json["reported"] = ValueJson(*twin.reported);
    if (twin.observed_desired.has_value())
      json["observedDesired"] = ValueJson(*twin.observed_desired);
    twins.push_back(std::move(json));
  }
  return twins;
}

// Null where it is not there: in a merge patch that removes it.
Json TextJson(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json StatusJson(const DeviceStatusValue& status) {
  return {{"twins", TwinsJson(status)},
          {"state", TextJson(status.state)},
          {"lastOnlineTime", TextJson(status.last_online_time)}};
}

Json OwnerJson(const StatusOwner& owner) {
  return {
      {"apiVersion", kApiVersion}, {"kind", "Device"}, {"name", owner.name}, {"uid", owner.uid}};
}

}  // namespace

std::string NewDeviceStatus(const StatusOwner& owner, const DeviceStatusValue& status) {
  Json object = {{"apiVersion", kApiVersion},
                 {"kind", "DeviceStatus"},
                 {"metadata",
                  {{"namespace", owner.object_namespace},
                   {"name", owner.name},
                   {"ownerReferences", Json::array({OwnerJson(owner)})}}},
                 {"status", Json::object()}};
  const Json members = StatusJson(status);
  for (const auto& [member, value] : members.items()) {
    if (!value.is_null()) object["status"][member] = value;
  }
  return kubeapi::DumpJson(object);
}

bool IsOwnedBy(const Json& object, absl::string_view uid) {
  for (const Json& owner : kubeapi::ArrayAt(object, {"metadata", "ownerReferences"})) {
    if (kubeapi::StringAt(owner, {"uid"}) == std::string(uid)) return true;
  }
  return false;
}

bool HasNoOwner(const Json& object) {
  return kubeapi::ArrayAt(object, {"metadata", "ownerReferences"}).empty();
}

std::string PlanDeviceStatus(const Json& object, const StatusOwner& owner,
                             const DeviceStatusValue& status) {
  const Json wanted = StatusJson(status);
  Json changed = Json::object();
  for (const auto& [member, value] : wanted.items()) {
    const Json* present = kubeapi::FindPath(object, {"status", member});
    if ((present == nullptr ? Json() : *present) != value) changed[member] = value;
  }
  Json patch = Json::object();
  if (!changed.empty()) patch["status"] = std::move(changed);
  if (HasNoOwner(object)) patch["metadata"]["ownerReferences"] = Json::array({OwnerJson(owner)});
  if (patch.empty()) return "";
  patch["metadata"]["resourceVersion"] = kubeapi::StringAt(object, {"metadata", "resourceVersion"});
  return kubeapi::DumpJson(patch);
}

std::string DeviceStatusPatch(const std::string& resource_version,
                              const DeviceStatusValue& status) {
  return kubeapi::DumpJson(
      Json{{"metadata", {{"resourceVersion", resource_version}}}, {"status", StatusJson(status)}});
}

}  // namespace skerry::devicecontroller
