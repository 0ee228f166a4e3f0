// Metrics of this service.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_METRICS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_METRICS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::devicecontroller {

// Every series exists from the start, at zero. Any thread may use it.
class DeviceControllerMetrics {
 public:
  explicit DeviceControllerMetrics(metrics::Registry& registry);

  // applied, unchanged, gone, elsewhere, fenced, rejected, superseded, deferred.
  prometheus::Counter& Report(absl::string_view result);
  // Events of the stream "readings": appended, repeated, gone, rejected, deferred.
  prometheus::Counter& Event(absl::string_view result);
  prometheus::Counter& RetentionDropped(absl::string_view kind);  // history, telemetry.
  prometheus::Counter& StoreRepairs(absl::string_view store);     // telemetry, twins.
  // Of a SQLite file: registry, telemetry, twins.
  void StoreSize(absl::string_view store, int64_t bytes, int64_t bytes_max);

  cloudspoke::HubMetrics hubs;
  prometheus::Counter& readings;
  prometheus::Counter& readings_elsewhere;
  prometheus::Counter& devices_refused;
  prometheus::Counter& status_writes;
  prometheus::Counter& events_dropped;
  reconcile::ControllerMetrics report_controller;
  reconcile::ControllerMetrics event_controller;
  reconcile::ControllerMetrics device_controller;
  reconcile::ControllerMetrics registry_controller;
  reconcile::ControllerMetrics retention_controller;
  kubeclient::InformerMetrics devices;
  kubeclient::InformerMetrics device_models;

 private:
  std::map<std::string, prometheus::Counter*> reports_;
  std::map<std::string, prometheus::Counter*> stream_events_;
  std::map<std::string, prometheus::Counter*> dropped_;
  std::map<std::string, prometheus::Counter*> repairs_;
  std::map<std::string, prometheus::Gauge*> sizes_;
  std::map<std::string, prometheus::Gauge*> bounds_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_METRICS_H_
