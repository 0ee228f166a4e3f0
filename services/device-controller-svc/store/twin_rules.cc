#include "services/device-controller-svc/store/twin_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/store_checks.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller::twin_rules {
namespace {

using store_checks::CheckBytes;
using store_checks::CheckCount;
using store_checks::CheckNumber;
using store_checks::CheckText;
using Store = TwinHistoryStore;

// What is not UTF-8 is replaced: metadata that a device got wrong does not keep its value away.
absl::StatusOr<std::string> WriteMetadata(const std::map<std::string, std::string>& metadata) {
  if (metadata.empty()) return std::string();
  size_t bytes = 0;
  for (const auto& [key, value] : metadata) bytes += key.size() + value.size();
  if (bytes > Store::kMetadataBytesMax) {
    return InvalidField("metadata", absl::StrCat("(", bytes, " bytes)"),
                        absl::StrCat("it may have at most ", Store::kMetadataBytesMax, " bytes"));
  }
  return nlohmann::json(metadata).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

absl::Status Check(const Write& write) {
  SKERRY_RETURN_IF_ERROR(CheckText("property", write.property, 1, Store::kNameBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckText("writer", write.writer, 0, Store::kNameBytesMax));
  if (write.value.has_value())
    SKERRY_RETURN_IF_ERROR(CheckBytes("value", *write.value, Store::kValueBytesMax));
  SKERRY_RETURN_IF_ERROR(CheckNumber("order.major", write.order.major));
  return CheckNumber("order.minor", write.order.minor);
}

absl::Status CheckAll(const std::vector<Write>& writes) {
  std::set<absl::string_view> properties;
  size_t bytes = 0;
  for (const Write& write : writes) {
    const absl::Status checked = Check(write);
    if (!checked.ok()) {
      return Annotate(checked, absl::StrCat("property '", write.property.substr(0, 64), "'"));
    }
    if (!properties.insert(write.property).second)
      return InvalidField("property", write.property, "give it once, with its newest value");
    bytes += write.property.size() + write.metadata.size() + write.writer.size();
    if (write.value.has_value()) bytes += write.value->size();
  }
  if (bytes <= Store::kApplyBytesMax) return absl::OkStatus();
  return InvalidField("values", absl::StrCat("(", bytes, " bytes)"),
                      absl::StrCat("send at most ", Store::kApplyBytesMax, " at once"));
}

}  // namespace

absl::StatusOr<std::vector<Write>> Checked(absl::Span<const ReportedValue> values) {
  SKERRY_RETURN_IF_ERROR(CheckCount("values", values.size(), Store::kApplyMax));
  std::vector<Write> writes;
  for (const ReportedValue& value : values) {
    SKERRY_ASSIGN_OR_RETURN(std::string metadata, WriteMetadata(value.metadata));
    writes.push_back({.property = value.property,
                      .value = value.value,
                      .metadata = std::move(metadata),
                      .writer = value.writer,
                      .time_micros = absl::ToUnixMicros(value.time),
                      .order = value.order});
  }
  SKERRY_RETURN_IF_ERROR(CheckAll(writes));
  return writes;
}

absl::StatusOr<std::vector<Write>> Checked(absl::Span<const DesiredValue> values) {
  SKERRY_RETURN_IF_ERROR(CheckCount("values", values.size(), Store::kApplyMax));
  std::vector<Write> writes;
  for (const DesiredValue& value : values) {
    writes.push_back({.property = value.property,
                      .value = value.value,
                      .writer = value.writer,
                      .time_micros = absl::ToUnixMicros(value.time),
                      .order = {.major = static_cast<uint64_t>(value.generation)}});
  }
  SKERRY_RETURN_IF_ERROR(CheckAll(writes));
  return writes;
}

absl::Status CheckKey(const TwinKey& twin) {
  SKERRY_RETURN_IF_ERROR(CheckText("uid", twin.uid, 1, Store::kNameBytesMax));
  if (twin.incarnation > 0) return absl::OkStatus();
  return InvalidField("incarnation", absl::StrCat(twin.incarnation),
                      "give that of the device's record");
}

absl::Status CheckQuery(const HistoryQuery& query) {
  SKERRY_RETURN_IF_ERROR(CheckText("property", query.property, 1, Store::kNameBytesMax));
  return CheckCount("count_max", query.count_max, Store::kPageMax);
}

absl::StatusOr<Standing> StandingOf(const TwinKey& twin, const std::optional<DeviceState>& known) {
  if (!known.has_value() || twin.incarnation > known->incarnation) return Standing::kAnew;
  if (twin.incarnation < known->incarnation) return Standing::kFormer;
  if (twin.uid != known->uid) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("device ", twin.device.value(), " of incarnation ", twin.incarnation,
                              " has uid ", known->uid, ", not ", twin.uid))
        .Reason("UID_MISMATCH")
        .Meta("device", twin.device.value())
        .Meta("uid", known->uid);
  }
  return known->ended ? Standing::kFormer : Standing::kPresent;
}

int64_t ArrivalMicros(const std::optional<DeviceState>& known, int64_t now_micros) {
  return known.has_value() ? std::max(now_micros, known->last_micros + 1) : now_micros;
}

std::vector<Write> Newer(std::vector<Write> writes,
                         const std::map<std::string, TwinOrder>& stored) {
  writes.erase(std::remove_if(writes.begin(), writes.end(),
                              [&](const Write& write) {
                                const auto found = stored.find(write.property);
                                return found != stored.end() && write.order <= found->second;
                              }),
               writes.end());
  return writes;
}

bool AddsProperties(const std::vector<Write>& newer,
                    const std::map<std::string, TwinOrder>& stored) {
  return std::any_of(newer.begin(), newer.end(),
                     [&](const Write& write) { return stored.count(write.property) == 0; });
}

absl::Status CheckRoom(const TwinKey& twin, int64_t properties) {
  if (properties <= int64_t{Store::kPropertiesMax}) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the twin of ", twin.device.value(), " would have ", properties,
                            " properties; it may have ", Store::kPropertiesMax))
      .Reason("TWIN_FULL")
      .Meta("device", twin.device.value());
}

std::vector<std::string> Properties(const std::vector<Write>& writes) {
  std::vector<std::string> properties;
  for (const Write& write : writes) properties.push_back(write.property);
  return properties;
}

absl::StatusOr<std::map<std::string, std::string>> ReadMetadata(const std::string& text) {
  std::map<std::string, std::string> metadata;
  if (text.empty()) return metadata;
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object()) return absl::DataLossError("metadata of a twin does not parse");
  for (const auto& [key, value] : parsed.items()) {
    if (!value.is_string()) return absl::DataLossError("metadata of a twin is no text");
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

}  // namespace skerry::devicecontroller::twin_rules
