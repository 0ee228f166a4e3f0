#include "services/device-controller-svc/service/twin_update.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/device/value_rules.h"

namespace skerry::devicecontroller {
namespace {

absl::Status CheckProperty(absl::string_view field, absl::string_view property) {
  if (device::IsPropertyName(property)) return absl::OkStatus();
  return InvalidField(field, device::ShownValue(property),
                      "give a property's name: 1 to 128 of letters, digits and -_.,:/@#");
}

// "{major}.0": of desired values the Device's generation.
absl::StatusOr<uint64_t> GenerationOf(absl::string_view field, absl::string_view version) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(version, '.');
  uint64_t generation = 0;
  if (absl::SimpleAtoi(parts.first, &generation) && parts.second == "0") return generation;
  return InvalidField(field, device::ShownValue(version),
                      "give that of the desired value that was read, or nothing");
}

absl::Status ReadMask(const google::protobuf::FieldMask& mask, DesiredUpdate& update) {
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      if (mask.paths_size() > 1) return InvalidField("update_mask", "*", "give it alone");
      update.mask = DesiredUpdate::Mask::kAll;
      return absl::OkStatus();
    }
    absl::string_view property = path;
    if (!absl::ConsumePrefix(&property, "properties.") ||
        !absl::ConsumeSuffix(&property, ".desired")) {
      return InvalidField("update_mask", device::ShownValue(path),
                          "give properties.{property}.desired, or * for all");
    }
    SKERRY_RETURN_IF_ERROR(CheckProperty("update_mask", property));
    update.listed.insert(std::string(property));
  }
  if (!update.listed.empty()) update.mask = DesiredUpdate::Mask::kListed;
  return absl::OkStatus();
}

const device::PropertyModel* Find(const device::ModelSpec& model, absl::string_view property) {
  const auto it = std::find_if(model.properties.begin(), model.properties.end(),
                               [&](const device::PropertyModel& p) { return p.name == property; });
  return it == model.properties.end() ? nullptr : &*it;
}

absl::Status CheckValue(const std::string& property, const std::optional<std::string>& value,
                        const device::ModelSpec* model) {
  if (model == nullptr) {
    // As one whose values may be anything.
    return value.has_value() ? device::CheckValue({.name = property}, *value) : absl::OkStatus();
  }
  const device::PropertyModel* rules = Find(*model, property);
  if (rules == nullptr) {
    return InvalidField("properties", property,
                        absl::StrCat("its model ", model->name.value(), " has no such property"))
        .Reason("PROPERTY_UNKNOWN")
        .Meta("property", property);
  }
  return value.has_value() ? device::CheckDesired(*rules, *value) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<DesiredUpdate> UpdateFrom(const v1::UpdateDeviceTwinRequest& request) {
  DesiredUpdate update;
  SKERRY_RETURN_IF_ERROR(ReadMask(request.update_mask(), update));
  if (!request.twin().etag().empty()) {
    SKERRY_ASSIGN_OR_RETURN(update.etag, ParseEtag("twin.etag", request.twin().etag()));
  }
  for (const auto& [property, given] : request.twin().properties()) {
    SKERRY_RETURN_IF_ERROR(CheckProperty("twin.properties", property));
    if (!given.has_desired()) continue;
    DesiredUpdate::Value& value = update.given[property];
    if (given.desired().has_value()) value.value = given.desired().value();
    if (given.desired().version().empty()) continue;
    SKERRY_ASSIGN_OR_RETURN(
        value.generation,
        GenerationOf(absl::StrCat("twin.properties[", property, "].desired.version"),
                     given.desired().version()));
  }
  const size_t named = std::max(update.given.size(), update.listed.size());
  if (named > TwinHistoryStore::kPropertiesMax) {
    return InvalidField("twin.properties", absl::StrCat(named),
                        absl::StrCat("give at most ", TwinHistoryStore::kPropertiesMax));
  }
  return update;
}

std::map<std::string, DesiredEntry> PresentOf(const std::vector<TwinEntry>& entries) {
  std::map<std::string, DesiredEntry> present;
  for (const TwinEntry& entry : entries) {
    if (entry.side != TwinSide::kDesired) continue;
    present[entry.property] = {entry.value, entry.order.major, entry.writer};
  }
  return present;
}

absl::Status CheckPlan(const DesiredPlan& plan, const DeviceRecord& record, DeviceModels& models) {
  std::shared_ptr<const device::ModelSpec> model;
  const absl::StatusOr<ObjectKey> key =
      ObjectKey::Make(record.object.device.device_namespace(), record.object.model);
  if (key.ok()) model = models.Find(*key);
  for (const auto& [property, value] : plan.values)
    SKERRY_RETURN_IF_ERROR(CheckValue(property, value, model.get()));
  return absl::OkStatus();
}

v1::DeviceTwin TwinOf(const DeviceName& device, const std::vector<TwinEntry>& entries,
                      const DeviceRecord* record) {
  v1::DeviceTwin twin;
  twin.set_name(TwinResource(device));
  uint64_t generation = 0;
  for (const TwinEntry& entry : entries) {
    if (record == nullptr) twin.set_uid(entry.uid);
    if (entry.side == TwinSide::kReported && !entry.value.has_value()) continue;
    v1::TwinProperty& property = (*twin.mutable_properties())[entry.property];
    if (entry.side == TwinSide::kDesired) {
      *property.mutable_desired() = ToProto(entry);
      generation = std::max(generation, entry.order.major);
    } else {
      *property.mutable_reported() = ToProto(entry);
    }
  }
  for (auto& [name, property] : *twin.mutable_properties()) {
    property.set_delta(
        property.desired().has_value() &&
        (!property.has_reported() || property.reported().value() != property.desired().value()));
  }
  if (record == nullptr) return twin;
  twin.set_uid(record->object.uid);
  twin.set_generation_id(absl::StrCat(record->incarnation));
  twin.set_etag(ToText(DesiredEtag{record->incarnation, generation}));
  return twin;
}

std::vector<DesiredValue> ChangesOf(const DesiredPlan& plan, const std::vector<TwinEntry>& entries,
                                    const std::string& writer, absl::Time now, int64_t generation) {
  std::vector<DesiredValue> changes;
  const std::map<std::string, DesiredEntry> present = PresentOf(entries);
  for (const auto& [property, value] : plan.values) {
    const auto it = present.find(property);
    const bool there = it == present.end() ? !value.has_value() : it->second.value == value;
    const bool newer =
        it != present.end() && it->second.generation >= static_cast<uint64_t>(generation);
    if (!there && !newer) changes.push_back({property, value, writer, now, generation});
  }
  return changes;
}

void Overlay(const std::vector<DesiredValue>& changes, const std::string& uid,
             std::vector<TwinEntry>& entries) {
  for (const DesiredValue& change : changes) {
    std::erase_if(entries, [&](const TwinEntry& entry) {
      return entry.side == TwinSide::kDesired && entry.property == change.property;
    });
    entries.push_back({.property = change.property,
                       .side = TwinSide::kDesired,
                       .uid = uid,
                       .value = change.value,
                       .writer = change.writer,
                       .time = change.time,
                       .order = {.major = static_cast<uint64_t>(change.generation)},
                       .arrive_time = change.time});
  }
}

}  // namespace skerry::devicecontroller
