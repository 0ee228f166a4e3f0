#include "services/device-controller-svc/service/device_import.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/desired_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::devicecontroller {
namespace {

using Json = nlohmann::json;
using v1::BulkImportDevicesResponse;

constexpr char kApiVersion[] = "devices.kubeedge.io/v1beta1";
// The answer has this time to be written and to get there.
constexpr absl::Duration kAnswerTime = absl::Milliseconds(250);
constexpr size_t kMessageBytesMax = 1024;  // Of a row's error: 1,000 of them fit an answer.

absl::Status Invalid(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message).Reason("MANIFEST_INVALID");
}

absl::Status CheckText(const Json& manifest, const char* field, absl::string_view wanted) {
  const auto it = manifest.find(field);
  const std::string* text = it == manifest.end() ? nullptr : it->get_ptr<const Json::string_t*>();
  if (text != nullptr && *text == wanted) return absl::OkStatus();
  return Invalid(absl::StrCat(
      field, " is ",
      text == nullptr ? "not there, or no text" : absl::StrCat("'", device::ShownValue(*text), "'"),
      ": give '", wanted, "'"));
}

absl::Status NotTried() {
  return Error(absl::StatusCode::kDeadlineExceeded,
               "the call's time was over before this row: send it again")
      .Reason("NOT_TRIED");
}

// So that it is still UTF-8.
absl::Status Shortened(const absl::Status& status) {
  if (status.message().size() <= kMessageBytesMax) return status;
  size_t size = kMessageBytesMax;
  while ((static_cast<unsigned char>(status.message()[size]) & 0xC0) == 0x80) --size;
  absl::Status shorter(status.code(), absl::StrCat(status.message().substr(0, size), "…"));
  SetErrorInfo(shorter, {.reason = GetErrorInfo(status).reason});
  return shorter;
}

BulkImportDevicesResponse::Outcome OutcomeOf(WrittenObject::Outcome outcome) {
  switch (outcome) {
    case WrittenObject::Outcome::kCreated:
      return BulkImportDevicesResponse::OUTCOME_CREATED;
    case WrittenObject::Outcome::kUpdated:
      return BulkImportDevicesResponse::OUTCOME_UPDATED;
    case WrittenObject::Outcome::kUnchanged:
      return BulkImportDevicesResponse::OUTCOME_UNCHANGED;
  }
  return BulkImportDevicesResponse::OUTCOME_UNSPECIFIED;
}

// `result`: its name as soon as that is known.
absl::StatusOr<BulkImportDevicesResponse::Outcome> ImportRow(
    const std::string& text, bool validate_only, const rpc::CallScope& scope,
    DeviceObjects& objects, DeviceModels& models, BulkImportDevicesResponse::Result& result) {
  SKERRY_ASSIGN_OR_RETURN(const Json manifest, ParseManifest(text));
  SKERRY_ASSIGN_OR_RETURN(const DeviceName device, CheckManifest(manifest, models));
  result.set_name(DeviceResource(device));
  if (validate_only) return BulkImportDevicesResponse::OUTCOME_VALID;
  SKERRY_ASSIGN_OR_RETURN(const WrittenObject written,
                          objects.CreateOrUpdate(manifest, WriterOf(scope), scope));
  return OutcomeOf(written.outcome);
}

}  // namespace

absl::StatusOr<Json> ParseManifest(absl::string_view text) {
  if (text.size() > kManifestBytesMax) {
    return Invalid(
        absl::StrCat("a manifest of ", text.size(), " bytes: give at most ", kManifestBytesMax));
  }
  bool too_deep = false;
  // What is too deep is passed over, not built: whoever writes it out again goes as deep.
  const Json::parser_callback_t check = [&](int depth, Json::parse_event_t event, Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kManifestDepthMax) too_deep = true;
    return !too_deep;
  };
  Json manifest = Json::parse(text.begin(), text.end(), check, /*allow_exceptions=*/false);
  if (too_deep)
    return Invalid(absl::StrCat("a manifest of more than ", kManifestDepthMax, " levels"));
  if (manifest.is_discarded())
    return Invalid("a manifest that is no JSON: give one Device as JSON");
  if (!manifest.is_object()) {
    return Invalid(absl::StrCat("a manifest that is a JSON ", manifest.type_name(),
                                ": give one Device as a JSON object"));
  }
  return manifest;
}

absl::StatusOr<DeviceName> CheckManifest(const Json& manifest, DeviceModels& models) {
  SKERRY_RETURN_IF_ERROR(CheckText(manifest, "apiVersion", kApiVersion));
  SKERRY_RETURN_IF_ERROR(CheckText(manifest, "kind", "Device"));
  SKERRY_ASSIGN_OR_RETURN(const device::DeviceSpec spec, device::ParseDevice(manifest));
  if (const auto model = models.Find(spec.model); model != nullptr) {
    SKERRY_RETURN_IF_ERROR(device::CheckDesiredValues(spec, *model));
  }
  return spec.name;
}

absl::Status ImportDevices(const v1::BulkImportDevicesRequest& request, const rpc::CallScope& scope,
                           DeviceObjects& objects, DeviceModels& models, ServiceMetrics& metrics,
                           BulkImportDevicesResponse& response) {
  if (request.manifests().empty() || request.manifests_size() > kImportRowsMax) {
    return InvalidField("manifests", absl::StrCat(request.manifests_size(), " rows"),
                        absl::StrCat("give 1 to ", kImportRowsMax));
  }
  rpc::CallScope rows = scope;
  rows.deadline -= kAnswerTime;
  for (const std::string& text : request.manifests()) {
    BulkImportDevicesResponse::Result& result = *response.add_results();
    absl::StatusOr<BulkImportDevicesResponse::Outcome> outcome = NotTried();
    if (!scope.IsCancelled() && absl::Now() < rows.deadline) {
      outcome = ImportRow(text, request.validate_only(), rows, objects, models, result);
    }
    if (outcome.ok()) {
      metrics.imports_done.Increment();
      result.set_outcome(*outcome);
      continue;
    }
    metrics.imports_failed.Increment();
    response.set_failed_count(response.failed_count() + 1);
    result.set_outcome(BulkImportDevicesResponse::OUTCOME_FAILED);
    *result.mutable_status() = rpc::ToProto(Shortened(outcome.status()));
  }
  return absl::OkStatus();
}

}  // namespace skerry::devicecontroller
