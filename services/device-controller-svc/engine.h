// Everything that a leader does; made when it begins to lead and destroyed when it ceases.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_ENGINE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_ENGINE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/device_keeper.h"
#include "services/device-controller-svc/device_records.h"
#include "services/device-controller-svc/downstream.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/model_views.h"
#include "services/device-controller-svc/retention_keeper.h"
#include "services/device-controller-svc/status_writer.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/device-controller-svc/upstream_readings.h"
#include "services/device-controller-svc/upstream_twins.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_set.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/event_recorder.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/log/logger.h"

namespace skerry::devicecontroller {

// The stores, which outlive engines.
struct Stores {
  RegistryStore& registry;
  TwinHistoryStore& twins;
  TelemetryStore& telemetry;
};

// Order of life: the caches fill with fresh lists, then the registry says who is disabled; only
// then are the hubs attached, so that no device is taken from a node because something was not
// known yet, and none goes to it that an operator has disabled. Everything about nodes is derived
// from what the hubs say. Start and Stop from one thread; Stop returns when nothing runs any more.
class Engine final : private cloudspoke::HubListener {
 public:
  struct Options {
    std::string instance;  // Unique for each process.
    UpstreamTwins::Options twins;
    UpstreamReadings::Options readings;
    DeviceKeeper::Options devices;
    RetentionKeeper::Options retention;
    size_t hub_pending_bytes_max = 16u << 20;
    absl::Duration find_hubs_interval = absl::Seconds(5);
  };
  // Called on the engine's threads.
  struct Listener {
    std::function<void()> on_synced;  // Caches and registry are known.
    std::function<void(size_t attached)> on_hubs;
    // The registry's record of a device changed, or is gone.
    std::function<void(const DeviceName& device)> on_record;
  };

  Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs, Stores stores,
         Listener listener, Clock& clock, DeviceControllerMetrics& metrics, log::Logger log);
  ~Engine() override;  // Stop().
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void Start();
  void Stop();

  // Any thread. Somebody has enabled or disabled the device in the registry: sooner than the next
  // look there.
  void RecordChanged(const DeviceName& device) { keeper_.DeviceChanged(device.value()); }

 private:
  void OnDevice(const KubeObject& device);
  void OnDeviceDeleted(const KubeObject& device);
  void OnModel(const KubeObject& model);
  void OnModelDeleted(const KubeObject& model);
  void OnRecord(const DeviceRecords::Change& change);
  std::optional<KubeObject> Cached(absl::string_view type, absl::string_view key) const;

  // On the executor.
  void OnInformerSynced();
  void OnNodeConnected(const std::string& node) override;
  void OnNodeGone(const std::string& node) override;
  void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) override;
  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) override;
  void OnHubs(size_t attached) override;

  const Options options_;
  const Listener listener_;
  DeviceControllerMetrics& metrics_;
  log::Logger log_;

  cloudspoke::Sessions sessions_;
  exec::SerialExecutor executor_;
  kubeclient::EventRecorder events_;
  ModelViews models_;
  StatusWriter statuses_;
  DeviceRecords records_;
  Downstream downstream_;
  UpstreamTwins twins_;
  UpstreamReadings readings_;
  DeviceKeeper keeper_;
  RetentionKeeper retention_;
  cloudspoke::HubSet hubs_;
  kubeclient::Informer devices_;
  kubeclient::Informer device_models_;
  int informers_synced_ = 0;  // Of the executor.
  bool stopped_ = false;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_ENGINE_H_
