// Forgets what is older than it is to be kept.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_RETENTION_KEEPER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_RETENTION_KEEPER_H_

#include <functional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/model_views.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::devicecontroller {

// Again and again, on a thread of its own, and in pieces that hold up nobody. Zero: kept for ever.
// References outlive Stop().
class RetentionKeeper {
 public:
  struct Options {
    absl::Duration history = absl::Hours(24 * 30);
    absl::Duration telemetry = absl::Hours(24 * 30);  // Where the model says nothing.
    absl::Duration interval = absl::Minutes(10);
  };

  RetentionKeeper(Options options, TwinHistoryStore& twins, TelemetryStore& telemetry,
                  const ModelViews& models, Clock& clock, DeviceControllerMetrics& metrics,
                  log::Logger log);

  // When the models are known.
  void Start();
  void Stop();  // After the piece that is being dropped. Idempotent.

 private:
  absl::StatusOr<reconcile::Outcome> Reconcile();
  // Calls until nothing is left.
  absl::Status DropAll(absl::string_view kind,
                       const std::function<absl::StatusOr<int64_t>()>& drop);

  const Options options_;
  TwinHistoryStore& twins_;
  TelemetryStore& telemetry_;
  const ModelViews& models_;
  Clock& clock_;
  DeviceControllerMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  reconcile::Controller controller_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_RETENTION_KEEPER_H_
