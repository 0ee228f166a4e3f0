// What a service counts of its stream to edgehub-svc.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_METRICS_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}

namespace skerry::hubclient {

// Any thread may use it; `registry` outlives it.
struct HubClientMetrics {
  explicit HubClientMetrics(metrics::Registry& registry);

  prometheus::Gauge& attached;
  prometheus::Gauge& link_connected;
  prometheus::Gauge& waiting_bytes;
  prometheus::Gauge& waiting_bytes_max;
  prometheus::Counter& reports_stored;
  prometheus::Counter& reports_replaced;
  prometheus::Counter& reports_refused;
  prometheus::Counter& events_stored;
  prometheus::Counter& event_puts_refused;
  prometheus::Counter& busy;
  prometheus::Counter& retries;
  prometheus::Counter& commands_done;
  prometheus::Counter& commands_refused;
  prometheus::Counter& commands_late;
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_METRICS_H_
