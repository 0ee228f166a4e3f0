#include "services/eventbus-svc/core/twin_documents.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/reasons.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

using Json = nlohmann::ordered_json;

// Without a search for the name, which would make a large twin's cost quadratic. Names are
// distinct.
void Append(Json& object, absl::string_view name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::string(name), std::move(value));
}

// As Go's omitempty.
void AppendUnlessEmpty(Json& object, absl::string_view name, const std::string& text) {
  if (!text.empty()) Append(object, name, text);
}

Json Head(const DocumentHead& head) {
  Json document = Json::object();
  Append(document, "event_id", head.event_id);
  Append(document, "timestamp", head.timestamp_ms);
  return document;
}

std::string Text(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AppendSide(Json& property, absl::string_view name, const TwinSide& side) {
  if (!side.value.has_value()) return;
  Json metadata = Json::object();
  Append(metadata, "timestamp", side.timestamp_ms);
  Json value = Json::object();
  Append(value, "value", *side.value);
  Append(value, "metadata", std::move(metadata));
  Append(property, name, std::move(value));
}

Json PropertyJson(const TwinProperty& property) {
  Json metadata = Json::object();
  AppendUnlessEmpty(metadata, "type", property.type);
  Json json = Json::object();
  AppendSide(json, "expected", property.expected);
  AppendSide(json, "actual", property.actual);
  Append(json, "optional", property.optional);
  Append(json, "metadata", std::move(metadata));
  return json;
}

Json PropertyOrNull(const std::optional<TwinProperty>& property) {
  return property.has_value() ? PropertyJson(*property) : Json();
}

Json DeviceJson(const DeviceSummary& device) {
  Json json = Json::object();
  Append(json, "id", device.name.value());
  Append(json, "name", device.name.name());
  AppendUnlessEmpty(json, "description", device.description);
  return json;
}

void AppendState(Json& json, const DeviceSummary& device) {
  AppendUnlessEmpty(json, "state", device.state);
  if (device.last_online.has_value()) {
    Append(json, "lastOnlineTime",
           absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *device.last_online, absl::UTCTimeZone()));
  }
}

Json DevicesOrNull(const std::vector<DeviceSummary>& devices) {
  Json list;
  for (const DeviceSummary& device : devices) list.push_back(DeviceJson(device));
  return list;
}

}  // namespace

std::string UpdateResultJson(const DocumentHead& head, const TwinChanges& changes) {
  Json twin = Json::object();
  for (const auto& [name, property] : changes) Append(twin, name, PropertyOrNull(property));
  Json document = Head(head);
  Append(document, "twin", std::move(twin));
  return Text(document);
}

std::string ErrorResultJson(const DocumentHead& head, const absl::Status& error) {
  Json document = Head(head);
  Append(document, "code", ResultCode(error.code()));
  Append(document, "reason", std::string(error.message()));
  return Text(document);
}

int ResultCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return kCodeBadRequest;
    case absl::StatusCode::kNotFound:
      return kCodeNotFound;
    case absl::StatusCode::kAborted:
      return kCodeConflict;
    default:
      return kCodeInternalError;
  }
}

absl::Status GetOfUnknownDevice(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("Device ", device.value(), " not found while getting twin"))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

absl::Status UpdateOfUnknownDevice(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound, kReasonUpdateOfUnknownDevice)
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

std::string UpdateDocumentJson(const DocumentHead& head,
                               const std::map<std::string, PropertyTransition>& properties) {
  Json twin = Json::object();
  for (const auto& [name, property] : properties) {
    Json both = Json::object();
    Append(both, "last", PropertyOrNull(property.last));
    Append(both, "current", PropertyOrNull(property.current));
    Append(twin, name, std::move(both));
  }
  Json document = Head(head);
  Append(document, "twin", std::move(twin));
  return Text(document);
}

std::optional<std::string> DeltaJson(const DocumentHead& head, const TwinProperties& twin) {
  Json listed = Json::object();
  Json delta = Json::object();
  for (const auto& [name, property] : twin) {
    if (property.expected.value.value_or("").empty()) continue;
    Append(listed, name, PropertyJson(property));
    if (property.actual.value != property.expected.value)
      Append(delta, name, *property.expected.value);
  }
  if (delta.empty()) return std::nullopt;
  Json document = Head(head);
  Append(document, "twin", std::move(listed));
  Append(document, "delta", std::move(delta));
  return Text(document);
}

std::string GetResultJson(const DocumentHead& head, const TwinProperties& twin) {
  Json properties = Json::object();
  for (const auto& [name, property] : twin) Append(properties, name, PropertyJson(property));
  Json document = Head(head);
  Append(document, "twin", std::move(properties));
  return Text(document);
}

std::string StateResultJson(const DocumentHead& head, const DeviceSummary& device) {
  // KubeEdge leaves the id out here, and with it the namespace, which the topic has.
  Json json = Json::object();
  Append(json, "name", device.name.name());
  AppendState(json, device);
  Json document = Head(head);
  Append(document, "device", std::move(json));
  return Text(document);
}

std::string MembershipResultJson(const DocumentHead& head,
                                 const std::vector<DeviceSummary>& devices) {
  Json list = Json::array();
  for (const DeviceSummary& device : devices) {
    Json json = DeviceJson(device);
    AppendState(json, device);
    list.push_back(std::move(json));
  }
  Json document = Head(head);
  Append(document, "devices", std::move(list));
  return Text(document);
}

std::string MembershipUpdatedJson(const DocumentHead& head, const std::vector<DeviceSummary>& added,
                                  const std::vector<DeviceSummary>& removed) {
  Json document = Head(head);
  Append(document, "added_devices", DevicesOrNull(added));
  Append(document, "removed_devices", DevicesOrNull(removed));
  return Text(document);
}

}  // namespace skerry::eventbus
