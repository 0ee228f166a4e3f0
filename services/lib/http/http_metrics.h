// The metrics of an HTTP server.
#ifndef SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_
#define SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_

#include "services/lib/metrics/registry.h"

namespace skerry::http {

// Any thread may use them. The registry outlives it.
struct HttpMetrics {
  explicit HttpMetrics(metrics::Registry& registry);

  prometheus::Gauge& connections;
  prometheus::Counter& connections_refused;
  prometheus::Counter& handshakes_failed;
  prometheus::Counter& requests;
  prometheus::Counter& requests_refused;
  prometheus::Counter& streams_cut;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_
