// What servicebus-svc counts.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_METRICS_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::servicebus {

// Any thread may use it; `registry` outlives it.
struct ServiceBusMetrics {
  explicit ServiceBusMetrics(metrics::Registry& registry);

  // "done" (whatever the service answered), "refused", "busy", "unreachable", "timeout", "broken",
  // "too_large", "unknown".
  void Call(absl::string_view result) { calls.at(std::string(result))->Increment(); }
  // "stored", "refused", "busy", "late".
  void Post(absl::string_view result) { posts.at(std::string(result))->Increment(); }

  std::map<std::string, prometheus::Counter*> calls;
  prometheus::Gauge& calls_running;
  prometheus::Histogram& call_seconds;
  std::map<std::string, prometheus::Counter*> posts;
  prometheus::Gauge& posts_waiting_bytes;
  prometheus::Gauge& posts_waiting_bytes_max;
  prometheus::Gauge& target_urls;
  prometheus::Gauge& meta_connected;
};

// The label of a call that failed with `status` of an http::Caller.
absl::string_view ResultOf(const absl::Status& status);

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_METRICS_H_
