#include "services/device-controller-svc/device_keeper.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/core/desired_plan.h"
#include "services/device-controller-svc/core/device_fields.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/desired_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kRegistry[] = "registry";  // The one key of that controller.

DesiredTexts PresentDesired(const std::vector<TwinEntry>& entries) {
  DesiredTexts present;
  for (const TwinEntry& entry : entries) {
    if (entry.side == TwinSide::kDesired && entry.value.has_value())
      present[entry.property] = *entry.value;
  }
  return present;
}

}  // namespace

DeviceKeeper::DeviceKeeper(Options options, kubeclient::Client& client, Views views,
                           DeviceRecords& records, TwinHistoryStore& twins,
                           const ModelViews& models, StatusWriter& statuses,
                           kubeclient::EventRecorder& events, Clock& clock,
                           DeviceControllerMetrics& metrics, log::Logger log)
    : options_(options),
      client_(client),
      views_(std::move(views)),
      records_(records),
      twins_(twins),
      models_(models),
      statuses_(statuses),
      events_(events),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      devices_({.name = "device",
                .workers = options.workers,
                .queue = {.backoff_max = options.backoff_max}},
               clock, metrics.device_controller, log,
               [this](const std::string& key) { return ReconcileDevice(key); }),
      registry_({.name = "registry", .workers = 1, .queue = {.backoff_max = options.backoff_max}},
                clock, metrics.registry_controller, log,
                [this](const std::string&) { return ReconcileRegistry(); }) {}

void DeviceKeeper::Start() {
  devices_.Start();
  registry_.Start();
  registry_.Add(kRegistry);
}

void DeviceKeeper::Stop() {
  stop_.request_stop();
  registry_.Stop();
  devices_.Stop();
}

absl::StatusOr<reconcile::Outcome> DeviceKeeper::ReconcileRegistry() {
  absl::StatusOr<std::vector<std::string>> names =
      loaded_ ? records_.FindSwitched() : records_.Load();
  SKERRY_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    // Those that were deleted while nobody was there to see it, and those that were switched.
    if (loaded_ || !views_.device(name).has_value()) devices_.Add(name);
  }
  if (!std::exchange(loaded_, true)) views_.on_loaded();
  return reconcile::Outcome::RecheckAfter(options_.refresh_interval);
}

absl::StatusOr<reconcile::Outcome> DeviceKeeper::ReconcileDevice(const std::string& key) {
  const std::optional<KubeObject> device = views_.device(key);
  if (!device.has_value()) {
    SKERRY_RETURN_IF_ERROR(CleanUp(key));
    return reconcile::Outcome::Done();
  }
  const absl::StatusOr<DeviceRecord> record = records_.Put(*device);
  if (absl::IsInvalidArgument(record.status())) {
    Refuse(*device, "DeviceInvalid", record.status());
    return reconcile::Outcome::Done();
  }
  SKERRY_RETURN_IF_ERROR(record.status());
  SKERRY_RETURN_IF_ERROR(KeepDesired(*device, *record));
  return reconcile::Outcome::Done();
}

absl::Status DeviceKeeper::KeepDesired(const KubeObject& device, const DeviceRecord& record) {
  const nlohmann::json json = device.Json();
  const absl::StatusOr<device::DeviceSpec> spec = device::ParseDevice(json);
  if (!spec.ok()) {
    Refuse(device, "DeviceInvalid", spec.status());
    return absl::OkStatus();
  }
  if (const auto model = models_.Find(spec->model.value()); model != nullptr) {
    const absl::Status valid = device::CheckDesiredValues(*spec, model->spec);
    if (!valid.ok()) Refuse(device, "DesiredInvalid", valid);
  }
  DesiredTexts wanted;
  for (const device::PropertySpec& property : spec->properties) {
    if (property.desired.has_value()) wanted[property.name] = property.desired->value;
  }
  const TwinKey key{record.object.device, record.object.uid, record.incarnation};
  SKERRY_ASSIGN_OR_RETURN(const std::vector<TwinEntry> current, twins_.Current(key.device));
  const DesiredWriters writers = ReadWriters(json);
  std::vector<DesiredValue> values;
  for (const auto& [property, value] : PlanDesired(PresentDesired(current), wanted)) {
    values.push_back({.property = property,
                      .value = value,
                      .writer = WriterOf(writers, property, value.value_or("")),
                      .time = clock_.Now(),
                      .generation = spec->generation});
  }
  for (size_t i = 0; i < values.size(); i += TwinHistoryStore::kApplyMax) {
    const absl::Status applied =
        twins_
            .ApplyDesired(key, absl::MakeConstSpan(values).subspan(i, TwinHistoryStore::kApplyMax))
            .status();
    if (absl::IsInvalidArgument(applied) || absl::IsFailedPrecondition(applied) ||
        GetErrorInfo(applied).reason == "TWIN_FULL") {
      Refuse(device, "DesiredNotKept", applied);
      return absl::OkStatus();
    }
    SKERRY_RETURN_IF_ERROR(applied);
  }
  return absl::OkStatus();
}

void DeviceKeeper::Refuse(const KubeObject& device, const std::string& reason,
                          const absl::Status& fault) {
  metrics_.devices_refused.Increment();
  log_.Warning("Device refused", fault, {{"device", device.key()}, {"why", reason}});
  events_.Warn(device, FieldsOf(device).node, reason, fault.message());
}

absl::Status DeviceKeeper::CleanUp(const std::string& key) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName name, DeviceName::Parse(key));
  SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> record, records_.Get(name));
  if (!record.has_value()) return absl::OkStatus();
  // That something is absent is never taken from the cache, which may lag behind another leader.
  const absl::StatusOr<KubeObject> live =
      client_.Get(Devices(), name.device_namespace(), name.name(), Call());
  if (!live.ok() && !absl::IsNotFound(live.status())) return live.status();
  const std::string& uid = record->object.uid;
  if (live.ok() && live->uid() == uid) return absl::OkStatus();
  // The record last: until then the rest is tried again, also by another process.
  SKERRY_RETURN_IF_ERROR(twins_.End({name, uid, record->incarnation}).status());
  SKERRY_RETURN_IF_ERROR(statuses_.Delete({name.device_namespace(), name.name(), uid}));
  // Of one that was made anew under its name the record follows it. What an operator has disabled
  // stays so when its manifest is applied again: that record goes when it is enabled.
  if (live.ok() || !record->enabled) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(records_.Delete(name, uid));
  log_.Info("Device deleted", {{"device", key}});
  return absl::OkStatus();
}

}  // namespace skerry::devicecontroller
