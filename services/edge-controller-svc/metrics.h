// Metrics of this service.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_

#include <prometheus/gauge.h>

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::edgecontroller {

// Every series exists from the start, at zero. Any thread may use it.
class EdgeControllerMetrics {
 public:
  explicit EdgeControllerMetrics(metrics::Registry& registry);

  prometheus::Counter& Report(absl::string_view type, absl::string_view result);
  prometheus::Counter& NodeEvent(absl::string_view result);
  prometheus::Counter& Stream(absl::string_view result);  // opened, failed, no_route, refused.

  cloudspoke::HubMetrics hubs;
  prometheus::Gauge& streams;
  prometheus::Counter& leases_renewed;
  prometheus::Counter& nodes_lost;
  prometheus::Counter& pods_collected;
  prometheus::Counter& events_dropped;
  reconcile::ControllerMetrics report_controller;
  reconcile::ControllerMetrics event_controller;
  reconcile::ControllerMetrics node_controller;
  reconcile::ControllerMetrics pod_gc_controller;
  kubeclient::InformerMetrics pods;
  kubeclient::InformerMetrics config_maps;
  kubeclient::InformerMetrics secrets;
  kubeclient::InformerMetrics service_accounts;
  kubeclient::InformerMetrics nodes;

 private:
  std::map<std::string, prometheus::Counter*> reports_;  // "type/result".
  std::map<std::string, prometheus::Counter*> node_events_;
  std::map<std::string, prometheus::Counter*> streams_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_
