#include "services/lib/http/http_metrics.h"

#include "absl/strings/str_cat.h"

namespace skerry::http {

HttpMetrics::HttpMetrics(metrics::Registry& registry)
    : connections(registry.Gauge("skerry_http_connections", "Open connections.")),
      connections_refused(registry.Counter("skerry_http_connections_refused_total",
                                           "Connections closed at once, for there were too many.")),
      connections_evicted(
          registry.Counter("skerry_http_connections_evicted_total",
                           "Connections closed for new ones, as there were too many and they had "
                           "waited longest for a request.")),
      handshakes_failed(
          registry.Counter("skerry_http_handshakes_failed_total",
                           "Connections whose TLS handshake failed or took too long.")),
      requests(registry.Counter("skerry_http_requests_total", "Requests handed to a handler.")),
      requests_refused(
          registry.Counter("skerry_http_requests_refused_total",
                           "Requests that were malformed, too big, too slow or too many.")),
      request_seconds(
          registry.Histogram("skerry_http_request_seconds",
                             "From the whole request to its answer, or to the head of a stream.",
                             {0.005, 0.025, 0.1, 0.5, 2.5, 10})),
      answers_dropped(
          registry.Counter("skerry_http_answers_dropped_total",
                           "Answers that were replaced by a 503 (GET) or 500, or cut, for too many "
                           "waited for their clients to read them.")),
      streams_cut(
          registry.Counter("skerry_http_streams_cut_total",
                           "Streams, and connections that were handed over, broken off because "
                           "the client was too slow.")) {
  for (size_t i = 0; i < answers.size(); ++i) {
    answers[i] = &registry.Counter("skerry_http_responses_total",
                                   "Answers, those to requests that were refused among them; 1xx: "
                                   "the connection was handed over.",
                                   {{"code_class", absl::StrCat(i + 1, "xx")}});
  }
}

void HttpMetrics::Answered(int status) {
  const int hundreds = status / 100;
  if (hundreds >= 1 && hundreds <= 5) answers[static_cast<size_t>(hundreds - 1)]->Increment();
}

}  // namespace skerry::http
