// Metrics of a controller's side of the hubs.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_METRICS_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_METRICS_H_

#include <prometheus/family.h>
#include <prometheus/gauge.h>

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/metrics/registry.h"

namespace skerry::cloudspoke {

// Every series exists from the start, at zero. Any thread may use it.
class HubMetrics {
 public:
  // `prefix`: what every name begins with, as "skerry_edgecontroller".
  HubMetrics(metrics::Registry& registry, absl::string_view prefix);

  prometheus::Counter& Push(absl::string_view change);  // upsert, delete, synced.
  // stale_session, malformed, unknown_type, holdings_bound.
  prometheus::Counter& FrameDropped(absl::string_view reason);

  // Nodes whose session is at that replica. There is a series for each that is known.
  void SetHubNodes(const std::string& hub, double nodes);
  void ForgetHub(const std::string& hub);

  prometheus::Gauge& hubs;
  prometheus::Gauge& hubs_attached;
  prometheus::Gauge& nodes_connected;
  prometheus::Counter& push_bytes;
  prometheus::Counter& pushes_rejected;

 private:
  prometheus::Family<prometheus::Gauge>& hub_nodes_;
  absl::Mutex mutex_;
  std::map<std::string, prometheus::Gauge*> hub_nodes_by_hub_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Counter*> pushes_;
  std::map<std::string, prometheus::Counter*> dropped_;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_METRICS_H_
