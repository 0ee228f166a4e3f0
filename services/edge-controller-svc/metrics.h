// Metrics of this service.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_

#include <prometheus/family.h>
#include <prometheus/gauge.h>

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::edgecontroller {

// Every series exists from the start, at zero. Any thread may use it.
class EdgeControllerMetrics {
 public:
  explicit EdgeControllerMetrics(metrics::Registry& registry);

  prometheus::Counter& Push(absl::string_view change);  // upsert, delete, synced.
  prometheus::Counter& Report(absl::string_view type, absl::string_view result);
  prometheus::Counter& NodeEvent(absl::string_view result);
  prometheus::Counter& FrameDropped(absl::string_view reason);
  prometheus::Counter& Stream(absl::string_view result);  // opened, failed, no_route, refused.

  // Nodes whose session is at that replica. There is a series for each that is known.
  void SetHubNodes(const std::string& hub, double nodes);
  void ForgetHub(const std::string& hub);

  prometheus::Gauge& hubs;
  prometheus::Gauge& hubs_attached;
  prometheus::Gauge& nodes_connected;
  prometheus::Gauge& streams;
  prometheus::Counter& push_bytes;
  prometheus::Counter& pushes_rejected;
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
  prometheus::Family<prometheus::Gauge>& hub_nodes_;
  absl::Mutex mutex_;
  std::map<std::string, prometheus::Gauge*> hub_nodes_by_hub_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Counter*> pushes_;
  std::map<std::string, prometheus::Counter*> reports_;  // "type/result".
  std::map<std::string, prometheus::Counter*> node_events_;
  std::map<std::string, prometheus::Counter*> dropped_;
  std::map<std::string, prometheus::Counter*> streams_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_METRICS_H_
