// Metrics of twin-svc's mappers.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DMI_METRICS_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DMI_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}

namespace skerry::twin {

// Any thread may use it; `registry` outlives it.
struct DmiMetrics {
  explicit DmiMetrics(metrics::Registry& registry);

  prometheus::Gauge& mappers;
  prometheus::Gauge& away;
  prometheus::Gauge& behind;
  prometheus::Counter& registrations_ok;
  prometheus::Counter& registrations_refused;
  prometheus::Counter& calls_ok;
  prometheus::Counter& calls_failed;
  prometheus::Counter& calls_away;
  prometheus::Counter& reports_ok;
  prometheus::Counter& reports_refused;
  prometheus::Counter& method_calls_ok;
  prometheus::Counter& method_calls_failed;
  prometheus::Counter& devices_refused;
  prometheus::Counter& store_failures;
  prometheus::Counter& store_repairs;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DMI_METRICS_H_
