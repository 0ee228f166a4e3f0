#include "services/servicebus-svc/metrics.h"

#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"

namespace skerry::servicebus {

ServiceBusMetrics::ServiceBusMetrics(metrics::Registry& r)
    : calls_running(r.Gauge("skerry_servicebus_calls_running", "Calls of services under way.")),
      call_seconds(r.Histogram("skerry_servicebus_call_seconds", "How long services take.",
                               metrics::LatencyBounds())),
      posts_waiting_bytes(r.Gauge("skerry_servicebus_posts_waiting_bytes",
                                  "Bytes of posts that edgehub-svc has not stored yet.")),
      posts_waiting_bytes_max(
          r.Gauge("skerry_servicebus_posts_waiting_bytes_max", "The bound of posts that wait.")),
      target_urls(r.Gauge("skerry_servicebus_target_urls",
                          "URLs of settings and rules that local programs may post for.")),
      meta_connected(r.Gauge("skerry_servicebus_meta_connected",
                             "1 while edge-meta-svc's rules are followed.")) {
  for (const char* result :
       {"done", "refused", "busy", "unreachable", "timeout", "broken", "too_large", "unknown"}) {
    calls[result] = &r.Counter("skerry_servicebus_calls_total",
                               "Calls of the cloud, by how they ended.", {{"result", result}});
  }
  for (const char* result : {"stored", "refused", "busy", "late"}) {
    posts[result] = &r.Counter("skerry_servicebus_posts_total",
                               "Posts of local programs, by their answer.", {{"result", result}});
  }
}

absl::string_view ResultOf(const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  if (reason == "HTTP_TIMEOUT") return "timeout";
  if (reason == "HTTP_ANSWER_TOO_LARGE") return "too_large";
  if (reason == "HTTP_CALL_INVALID") return "refused";
  if (reason == "HTTP_UNREACHABLE" || reason == "HTTP_TLS_FAILED" || reason == "HTTP_TLS_UNTRUSTED")
    return "unreachable";
  return "broken";
}

}  // namespace skerry::servicebus
