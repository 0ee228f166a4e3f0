// What the API counts beside the server's own metrics.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICE_METRICS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICE_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}  // namespace skerry::metrics

namespace skerry::devicecontroller {

// Any thread may use it; `registry` outlives it.
struct ServiceMetrics {
  explicit ServiceMetrics(metrics::Registry& registry);

  prometheus::Gauge& watchers;
  prometheus::Counter& watchers_slow;
  prometheus::Counter& watchers_refused;
  prometheus::Gauge& method_calls;
  prometheus::Counter& method_calls_answered;
  prometheus::Counter& method_calls_failed;
  prometheus::Counter& method_calls_full;
  prometheus::Counter& imports_done;
  prometheus::Counter& imports_failed;
  prometheus::Counter& twin_conflicts;
  prometheus::Counter& history_late;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_SERVICE_METRICS_H_
