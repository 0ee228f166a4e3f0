#include "services/device-controller-svc/wire/twin_values.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using google::protobuf::Timestamp;

// Of a property that has a desired value, beside what its writer put there.
constexpr char kWriter[] = "writer";
constexpr char kConflict[] = "conflict";
constexpr char kConflictWriter[] = "conflictWriter";

// Years 1 to 9999, as google.protobuf.Timestamp says.
constexpr int64_t kSecondsMin = -62'135'596'800;
constexpr int64_t kSecondsMax = 253'402'300'799;

absl::Status Malformed(absl::string_view reason, absl::string_view field, absl::string_view fix) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat(field, ": ", fix))
      .Reason(reason)
      .Meta("field", field);
}

std::optional<absl::Time> TimeOf(const Timestamp& time) {
  if (time.seconds() < kSecondsMin || time.seconds() > kSecondsMax || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return std::nullopt;
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::map<std::string, std::string> MetadataOf(const twin::v1::Value& value) {
  std::map<std::string, std::string> metadata = {value.metadata().begin(), value.metadata().end()};
  // As KubeEdge's: milliseconds, as text.
  if (const std::optional<absl::Time> time = TimeOf(value.write_time());
      time.has_value() && value.has_write_time()) {
    metadata.emplace("timestamp", absl::StrCat(absl::ToUnixMillis(*time)));
  }
  return metadata;
}

StatusTwin StatusOf(const std::string& name, const twin::v1::Property& property) {
  StatusTwin twin{.property = name, .reported = std::nullopt, .observed_desired = std::nullopt};
  if (property.has_reported()) {
    twin.reported = StatusValue{property.reported().value(), MetadataOf(property.reported())};
  }
  if (property.has_desired()) {
    twin.observed_desired = StatusValue{property.desired().value(), MetadataOf(property.desired())};
    twin.observed_desired->metadata.emplace(kWriter, property.desired().writer());
  }
  // A desired value of the box that one of the cloud has replaced stays to be seen (ADR 30).
  if (property.has_conflict()) {
    if (!twin.observed_desired.has_value()) twin.observed_desired.emplace();
    twin.observed_desired->metadata.emplace(kConflict, property.conflict().local().value());
    twin.observed_desired->metadata.emplace(kConflictWriter, property.conflict().local().writer());
  }
  return twin;
}

absl::StatusOr<ReportedValue> ReportedOf(const std::string& name, const twin::v1::Value& value) {
  const std::optional<absl::Time> time = TimeOf(value.write_time());
  if (!time.has_value()) {
    return Malformed("REPORT_MALFORMED", absl::StrCat("properties[", name, "].reported.write_time"),
                     "it must be a time of the years 1 to 9999");
  }
  return ReportedValue{.property = name,
                       .value = value.value(),
                       .metadata = {value.metadata().begin(), value.metadata().end()},
                       .writer = value.writer(),
                       .time = *time,
                       .order = {}};
}

// Seconds, as KubeEdge's boxes write it.
std::string LastOnline(const twin::v1::DeviceState& state) {
  const std::optional<absl::Time> time = TimeOf(state.last_seen_time());
  if (!state.has_last_seen_time() || !time.has_value()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<ReportedTwin> ReadTwinReport(absl::string_view key, const std::string& bytes) {
  constexpr char kReason[] = "REPORT_MALFORMED";
  const absl::StatusOr<DeviceName> device = DeviceName::Parse(key);
  if (!device.ok()) return Malformed(kReason, "key", device.status().message());
  twin::v1::TwinReport report;
  if (!report.ParseFromString(bytes))
    return Malformed(kReason, "value", "it must be a skerry.twin.v1.TwinReport");
  const twin::v1::Twin& twin = report.twin();
  const std::string name =
      absl::StrCat("namespaces/", device->device_namespace(), "/devices/", device->name(), "/twin");
  if (twin.name() != name)
    return Malformed(kReason, "twin.name", absl::StrCat("it must be ", name, ", as the key says"));
  if (twin.uid().empty()) return Malformed(kReason, "twin.uid", "give that of the Device");
  if (static_cast<size_t>(twin.properties_size()) > TwinHistoryStore::kPropertiesMax) {
    return Malformed(kReason, "twin.properties",
                     absl::StrCat("there may be at most ", TwinHistoryStore::kPropertiesMax));
  }
  ReportedTwin out{.device = *device, .uid = twin.uid(), .values = {}, .status = {}};
  const std::map<std::string, twin::v1::Property> properties = {twin.properties().begin(),
                                                                twin.properties().end()};
  for (const auto& [property, state] : properties) {
    if (state.has_reported()) {
      SKERRY_ASSIGN_OR_RETURN(ReportedValue value, ReportedOf(property, state.reported()));
      out.values.push_back(std::move(value));
    }
    if (!state.declared()) continue;
    StatusTwin shown = StatusOf(property, state);
    if (shown.reported.has_value() || shown.observed_desired.has_value())
      out.status.twins.push_back(std::move(shown));
  }
  out.status.state = twin.state().state();
  out.status.last_online_time = LastOnline(twin.state());
  return out;
}

absl::StatusOr<ReportedReadings> ReadReadings(absl::string_view key, const std::string& bytes) {
  constexpr char kReason[] = "EVENT_MALFORMED";
  const absl::StatusOr<DeviceName> device = DeviceName::Parse(key);
  if (!device.ok()) return Malformed(kReason, "key", device.status().message());
  twin::v1::Readings readings;
  if (!readings.ParseFromString(bytes))
    return Malformed(kReason, "value", "it must be a skerry.twin.v1.Readings");
  if (readings.uid().empty()) return Malformed(kReason, "uid", "give that of the Device");
  if (static_cast<size_t>(readings.readings_size()) > TelemetryStore::kRowsMax) {
    return Malformed(kReason, "readings",
                     absl::StrCat("there may be at most ", TelemetryStore::kRowsMax));
  }
  ReportedReadings out{.device = *device, .uid = readings.uid(), .values = {}};
  for (const twin::v1::Reading& reading : readings.readings()) {
    const std::optional<absl::Time> time = TimeOf(reading.time());
    if (!reading.has_time() || !time.has_value())
      return Malformed(kReason, "readings.time", "it must be a time of the years 1 to 9999");
    out.values.push_back({reading.property(), reading.value(), *time});
  }
  return out;
}

void AddTypes(const PropertyTypes& types, DeviceStatusValue& status) {
  for (StatusTwin& twin : status.twins) {
    const auto type = types.find(twin.property);
    if (type == types.end()) continue;
    if (twin.reported.has_value()) twin.reported->metadata.emplace("type", type->second);
    if (twin.observed_desired.has_value())
      twin.observed_desired->metadata.emplace("type", type->second);
  }
}

}  // namespace skerry::devicecontroller
