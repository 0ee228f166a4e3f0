#include "services/device-controller-svc/retention_keeper.h"

#include <vector>

#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {

RetentionKeeper::RetentionKeeper(Options options, TwinHistoryStore& twins,
                                 TelemetryStore& telemetry, const ModelViews& models, Clock& clock,
                                 DeviceControllerMetrics& metrics, log::Logger log)
    : options_(options),
      twins_(twins),
      telemetry_(telemetry),
      models_(models),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      controller_({.name = "retention", .workers = 1}, clock, metrics.retention_controller, log,
                  [this](const std::string&) { return Reconcile(); }) {}

void RetentionKeeper::Start() {
  controller_.Start();
  controller_.Add("all");
}

void RetentionKeeper::Stop() {
  stop_.request_stop();
  controller_.Stop();
}

absl::StatusOr<reconcile::Outcome> RetentionKeeper::Reconcile() {
  const absl::Time now = clock_.Now();
  if (options_.history > absl::ZeroDuration()) {
    SKERRY_RETURN_IF_ERROR(
        DropAll("history", [&] { return twins_.DropHistoryBefore(now - options_.history); }));
  }
  SKERRY_ASSIGN_OR_RETURN(const std::vector<std::string> models, telemetry_.Models());
  for (const std::string& model : models) {
    const absl::Duration kept = models_.TelemetryRetention(model).value_or(options_.telemetry);
    if (kept == absl::ZeroDuration()) continue;
    SKERRY_RETURN_IF_ERROR(
        DropAll("telemetry", [&] { return telemetry_.DropBefore(model, now - kept); }));
  }
  return reconcile::Outcome::RecheckAfter(options_.interval);
}

absl::Status RetentionKeeper::DropAll(absl::string_view kind,
                                      const std::function<absl::StatusOr<int64_t>()>& drop) {
  while (!stop_.stop_requested()) {
    SKERRY_ASSIGN_OR_RETURN(const int64_t dropped, drop());
    if (dropped == 0) break;
    metrics_.RetentionDropped(kind).Increment(static_cast<double>(dropped));
  }
  return absl::OkStatus();
}

}  // namespace skerry::devicecontroller
