// What twin-svc counts.
#ifndef SKERRY_SERVICES_TWIN_SVC_METRICS_H_
#define SKERRY_SERVICES_TWIN_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}

namespace skerry::twin {

// Any thread may use it; `registry` outlives it.
struct TwinMetrics {
  explicit TwinMetrics(metrics::Registry& registry);

  prometheus::Gauge& devices;
  prometheus::Gauge& store_bytes;
  prometheus::Gauge& store_bytes_max;
  prometheus::Gauge& waiting_bytes;
  prometheus::Gauge& waiting_bytes_max;
  prometheus::Counter& commits_ok;
  prometheus::Counter& commits_failed;
  prometheus::Counter& writes_done;
  prometheus::Counter& writes_refused;
  prometheus::Counter& conflicts;
  prometheus::Counter& store_repairs;
  prometheus::Gauge& meta_connected;
  prometheus::Counter& objects_refused;
  prometheus::Gauge& watchers;
  prometheus::Gauge& readings_bytes;
  prometheus::Gauge& readings_bytes_max;
  prometheus::Gauge& readings_unsent;
  prometheus::Counter& readings_dropped_full;
  prometheus::Counter& readings_dropped_disk_full;
  prometheus::Counter& readings_dropped_expired;
  prometheus::Counter& readings_refused;
  prometheus::Gauge& reports_due;
  prometheus::Counter& reports_cut;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_METRICS_H_
