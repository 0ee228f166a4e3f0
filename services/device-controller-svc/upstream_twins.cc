#include "services/device-controller-svc/upstream_twins.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "services/device-controller-svc/core/device_fields.h"
#include "services/device-controller-svc/core/twin_order.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/reconcile/queue.h"

namespace skerry::devicecontroller {
namespace {

// Mappers that report again what they have reported give it a new time: that is no change.
std::map<std::string, std::string> WithoutTime(std::map<std::string, std::string> metadata) {
  metadata.erase("timestamp");
  return metadata;
}

bool Differs(const TwinEntry& present, const ReportedValue& value) {
  return present.value != value.value || present.writer != value.writer ||
         WithoutTime(present.metadata) != WithoutTime(value.metadata);
}

}  // namespace

UpstreamTwins::UpstreamTwins(Options options, kubeclient::Client& client, DeviceCache devices,
                             DeviceRecords& records, TwinHistoryStore& twins,
                             const ModelViews& models, StatusWriter& statuses,
                             cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                             DeviceControllerMetrics& metrics, log::Logger log)
    : client_(client),
      devices_(std::move(devices)),
      records_(records),
      twins_(twins),
      clock_(clock),
      models_(models),
      statuses_(statuses),
      metrics_(metrics),
      applier_({.workers = options.workers,
                .bytes_max_per_node = options.bytes_max_per_node,
                .backoff_max = options.backoff_max},
               *this, sessions, std::move(answer), clock, metrics.report_controller, metrics.hubs,
               log) {}

void UpstreamTwins::Stop() {
  stop_.request_stop();
  statuses_.Stop();
  applier_.Stop();
}

// What the API server says about *us* (403, 401) is not the report's fault: an operator mends it.
bool UpstreamTwins::IsFinal(const absl::Status& status) const {
  return reconcile::IsTerminal(status.code()) || GetErrorInfo(status).reason == "TWIN_FULL";
}

void UpstreamTwins::Count(absl::string_view, absl::string_view result) {
  metrics_.Report(result).Increment();
}

absl::StatusOr<std::optional<KubeObject>> UpstreamTwins::FindDevice(const ReportedTwin& twin) {
  std::optional<KubeObject> device = devices_(twin.device.value());
  if (device.has_value() && device->uid() == twin.uid) return device;
  // That something is absent, or another one, is never taken from the cache, which may lag.
  absl::StatusOr<KubeObject> live = client_.Get(Devices(), twin.device.device_namespace(),
                                                twin.device.name(), {.stop = stop_.get_token()});
  if (absl::IsNotFound(live.status())) return std::optional<KubeObject>();
  SKERRY_RETURN_IF_ERROR(live.status());
  if (live->uid() != twin.uid) return std::optional<KubeObject>();
  return std::optional<KubeObject>(*std::move(live));
}

UpstreamTwins::Applied UpstreamTwins::Apply(const cloudspoke::InboxReport& report) {
  if (report.type != kType) {
    return Error(absl::StatusCode::kUnimplemented, "reports of this type are not served here")
        .Reason("REPORT_TYPE_UNKNOWN")
        .Meta("type", report.type);
  }
  SKERRY_ASSIGN_OR_RETURN(ReportedTwin twin, ReadTwinReport(report.key, report.value));
  SKERRY_ASSIGN_OR_RETURN(const std::optional<KubeObject> device, FindDevice(twin));
  if (!device.has_value()) return std::string("gone");
  const DeviceFields fields = FieldsOf(*device);
  SKERRY_ASSIGN_OR_RETURN(const TwinKey key, records_.KeyOf(*device));
  if (fields.node != report.node || records_.IsDisabled(report.key))
    return std::string("elsewhere");

  const TwinOrder order{.major = ReportOrderMajor(fields.generation, report.epoch),
                        .minor = report.sequence};
  SKERRY_ASSIGN_OR_RETURN(const std::optional<bool> stored,
                          Store(*device, key, std::move(twin.values), order));
  if (!stored.has_value()) return std::string("fenced");
  if (const auto model = models_.Find(fields.model_key); model != nullptr)
    AddTypes(model->types, twin.status);
  const absl::StatusOr<bool> written = statuses_.Write(*device, twin.status);
  if (absl::IsNotFound(written.status())) return std::string("gone");  // Its namespace is.
  SKERRY_RETURN_IF_ERROR(written.status());
  if (*written) metrics_.status_writes.Increment();
  return std::string(*stored || *written ? "applied" : "unchanged");
}

absl::StatusOr<std::optional<bool>> UpstreamTwins::Store(const KubeObject& device,
                                                         const TwinKey& key,
                                                         std::vector<ReportedValue> values,
                                                         const TwinOrder& order) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<TwinEntry> current, twins_.Current(key.device));
  std::map<std::string, const TwinEntry*> present;
  for (const TwinEntry& entry : current) {
    if (entry.side == TwinSide::kReported && entry.uid == key.uid) present[entry.property] = &entry;
  }
  std::vector<ReportedValue> changed;
  for (ReportedValue& value : values) {
    const auto known = present.extract(value.property);
    if (!known.empty() && !Differs(*known.mapped(), value)) continue;
    value.order = order;
    changed.push_back(std::move(value));
  }
  // A report is the whole twin. What the Device declares stays as it was last known: a box to which
  // the device was moved has no value yet. The rest was made by clients of the box, and removed.
  std::erase_if(present, [](const auto& each) { return !each.second->value.has_value(); });
  const std::set<std::string> declared =
      present.empty() ? std::set<std::string>() : DeclaredProperties(device);
  for (const auto& [property, entry] : present) {
    if (declared.count(property) > 0) continue;
    changed.push_back({.property = property,
                       .value = std::nullopt,
                       .metadata = {},
                       .writer = "",
                       .time = clock_.Now(),
                       .order = order});
  }
  // Beyond that there are too many properties: the store says TWIN_FULL to those that are new.
  if (changed.size() > TwinHistoryStore::kApplyMax) changed.resize(TwinHistoryStore::kApplyMax);
  if (changed.empty()) return std::optional<bool>(false);
  SKERRY_ASSIGN_OR_RETURN(const AppliedValues applied, twins_.ApplyReported(key, changed));
  if (applied.former || applied.properties.size() < changed.size()) return std::optional<bool>();
  return std::optional<bool>(true);
}

}  // namespace skerry::devicecontroller
