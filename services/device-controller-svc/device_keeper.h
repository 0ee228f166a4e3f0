// Keeps registry and twins true to the Device objects.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_KEEPER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_KEEPER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/device_records.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/model_views.h"
#include "services/device-controller-svc/status_writer.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/event_recorder.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::devicecontroller {

// A controller keyed by device, and one that compares the registry as a whole: once at the start,
// then again and again with what other processes have switched. Any thread may call it. References
// outlive Stop().
class DeviceKeeper {
 public:
  struct Options {
    size_t workers = 8;
    absl::Duration refresh_interval = absl::Seconds(10);
    absl::Duration backoff_max = absl::Seconds(30);
  };
  struct Views {
    std::function<std::optional<KubeObject>(const std::string& key)> device;
    // The whole registry has been taken in. On a worker, once.
    std::function<void()> on_loaded;
  };

  DeviceKeeper(Options options, kubeclient::Client& client, Views views, DeviceRecords& records,
               TwinHistoryStore& twins, const ModelViews& models, StatusWriter& statuses,
               kubeclient::EventRecorder& events, Clock& clock, DeviceControllerMetrics& metrics,
               log::Logger log);

  // When the caches are whole: what is not there is gone.
  void Start();
  void Stop();  // Cancels calls in progress. Idempotent.

  // The object, or its record, changed.
  void DeviceChanged(const std::string& key) { devices_.Add(key); }

 private:
  absl::StatusOr<reconcile::Outcome> ReconcileDevice(const std::string& key);
  absl::StatusOr<reconcile::Outcome> ReconcileRegistry();
  absl::Status KeepDesired(const KubeObject& device, const DeviceRecord& record);
  absl::Status CleanUp(const std::string& key);
  // What is wrong with the manifest shows on the object.
  void Refuse(const KubeObject& device, const std::string& reason, const absl::Status& fault);
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  const Options options_;
  kubeclient::Client& client_;
  const Views views_;
  DeviceRecords& records_;
  TwinHistoryStore& twins_;
  const ModelViews& models_;
  StatusWriter& statuses_;
  kubeclient::EventRecorder& events_;
  Clock& clock_;
  DeviceControllerMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  bool loaded_ = false;  // Of the registry's one worker.
  reconcile::Controller devices_;
  reconcile::Controller registry_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_DEVICE_KEEPER_H_
