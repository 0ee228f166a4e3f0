// The metrics of an HTTP server.
#ifndef SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_
#define SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>

#include "services/lib/metrics/registry.h"

namespace skerry::http {

// Any thread may use them. The registry outlives it. `connections` is one server's: a
// registry has one.
struct HttpMetrics {
  explicit HttpMetrics(metrics::Registry& registry);

  void Answered(int status);

  prometheus::Gauge& connections;
  prometheus::Counter& connections_refused;
  prometheus::Counter& connections_evicted;
  prometheus::Counter& handshakes_failed;
  prometheus::Counter& requests;
  prometheus::Counter& requests_refused;
  prometheus::Histogram& request_seconds;
  std::array<prometheus::Counter*, 5> answers;  // "1xx" to "5xx".
  prometheus::Counter& answers_dropped;
  prometheus::Counter& streams_cut;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_HTTP_METRICS_H_
