// What router-svc counts.
#ifndef SKERRY_SERVICES_ROUTER_SVC_METRICS_H_
#define SKERRY_SERVICES_ROUTER_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::router {

// Any thread may use it; `registry` outlives it.
struct RouterMetrics {
  explicit RouterMetrics(metrics::Registry& registry);

  // "routed", "unrouted" (no rule), "repeated", "overflowed", "rejected" (malformed), "deferred".
  void Event(absl::string_view result, int64_t count = 1);
  // "arrived", "again", "dead".
  void Delivery(absl::string_view result) { deliveries.at(std::string(result))->Increment(); }
  // "done", "refused", "unauthorized", "no_rule", "failed", "busy".
  void Request(absl::string_view result) { requests.at(std::string(result))->Increment(); }

  cloudspoke::HubMetrics hubs;
  kubeclient::InformerMetrics rules, endpoints;
  reconcile::ControllerMetrics intake, delivery;
  prometheus::Gauge& rules_valid;
  prometheus::Gauge& rules_invalid;
  std::map<std::string, prometheus::Counter*> events;
  std::map<std::string, prometheus::Counter*> deliveries;
  prometheus::Histogram& delivery_seconds;
  prometheus::Gauge& waiting;
  prometheus::Gauge& waiting_bytes;
  prometheus::Gauge& rule_waiting_bytes;
  prometheus::Gauge& rule_waiting_bytes_max;
  prometheus::Gauge& dead_letters;
  prometheus::Gauge& dead_letter_bytes;
  prometheus::Gauge& dead_letter_bytes_max;
  prometheus::Counter& dead_letters_dropped;
  prometheus::Gauge& store_bytes;
  prometheus::Gauge& store_bytes_max;
  std::map<std::string, prometheus::Counter*> requests;
  prometheus::Counter& status_writes;
  prometheus::Counter& status_writes_failed;
  prometheus::Counter& store_repairs;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_METRICS_H_
