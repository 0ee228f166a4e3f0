// What edge-meta-svc counts.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_METRICS_H_
#define SKERRY_SERVICES_EDGE_META_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include "absl/strings/string_view.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::edgemeta {

// Any thread may use it; `registry` outlives it.
struct MetaMetrics {
  explicit MetaMetrics(metrics::Registry& registry);

  // Of one of resource_types; there is no other label value.
  prometheus::Gauge& SyncBehind(absl::string_view type);

  prometheus::Gauge& attached;
  prometheus::Gauge& link_connected;
  prometheus::Counter& dials;
  prometheus::Counter& changes_upserted;
  prometheus::Counter& changes_deleted;
  prometheus::Counter& objects_rejected;
  prometheus::Counter& messages_stale;
  prometheus::Counter& commits_ok;
  prometheus::Counter& commits_failed;
  prometheus::Counter& store_repairs;
  prometheus::Gauge& store_bytes;
  prometheus::Gauge& store_bytes_max;
  prometheus::Gauge& revision;
  prometheus::Gauge& watchers;
  prometheus::Counter& watchers_slow;
  prometheus::Counter& reports_stored;
  prometheus::Counter& reports_replaced;
  prometheus::Counter& reports_forwarded;
  prometheus::Counter& reports_refused;
  prometheus::Counter& reports_retried;
  prometheus::Gauge& reports_pending;

 private:
  metrics::Registry& registry_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_METRICS_H_
