#include "services/lib/http/http_metrics.h"

namespace skerry::http {

HttpMetrics::HttpMetrics(metrics::Registry& registry)
    : connections(registry.Gauge("skerry_http_connections", "Open connections.")),
      connections_refused(registry.Counter("skerry_http_connections_refused_total",
                                           "Connections closed at once, for there were too many.")),
      handshakes_failed(
          registry.Counter("skerry_http_handshakes_failed_total",
                           "Connections whose TLS handshake failed or took too long.")),
      requests(registry.Counter("skerry_http_requests_total", "Requests handed to a handler.")),
      requests_refused(
          registry.Counter("skerry_http_requests_refused_total",
                           "Requests that were malformed, too big, too slow or too many.")),
      streams_cut(registry.Counter("skerry_http_streams_cut_total",
                                   "Streams broken off because the client was too slow.")) {}

}  // namespace skerry::http
