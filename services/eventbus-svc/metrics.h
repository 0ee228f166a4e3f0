// What eventbus-svc counts.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_METRICS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}

namespace skerry::eventbus {

// Any thread may use it; `registry` outlives it.
struct BusMetrics {
  explicit BusMetrics(metrics::Registry& registry);

  // The broker.
  prometheus::Gauge& mqtt_connected;
  prometheus::Counter& connects_ok;
  prometheus::Counter& connects_refused;      // By the broker: credentials, client id, version.
  prometheus::Counter& connects_unreachable;  // No TCP or TLS connection, or no answer.
  prometheus::Gauge& subscriptions_refused;
  prometheus::Gauge& rule_topics;
  prometheus::Gauge& meta_connected;
  // What came from it.
  prometheus::Counter& received_twin_update;
  prometheus::Counter& received_twin_get;
  prometheus::Counter& received_state_update;
  prometheus::Counter& received_membership_get;
  prometheus::Counter& received_user;
  prometheus::Counter& refused_topic;  // Not a name of ours, or no name at all.
  prometheus::Counter& refused_size;
  prometheus::Counter& refused_retained;  // A former request that the broker has kept.
  prometheus::Counter& refused_invalid;   // Payloads.
  prometheus::Counter& refused_busy;      // The queue of requests stayed full.
  prometheus::Counter& refused_store;     // User messages that the disk did not take.
  prometheus::Counter& repeated;          // The broker has sent them before: nothing is lost.
  prometheus::Gauge& requests_waiting_bytes;
  prometheus::Gauge& requests_waiting_bytes_max;
  prometheus::Counter& requests_unlogged;  // The disk did not take them.
  prometheus::Counter& requests_resumed;   // Of the process before this one.
  prometheus::Counter& requests_deferred;  // They wait in the log: there was no room in memory.
  // What goes to it.
  prometheus::Counter& published;
  prometheus::Counter& publish_failed;  // They are tried again.
  prometheus::Gauge& publications_waiting;
  prometheus::Gauge& publications_waiting_bytes;
  prometheus::Gauge& publications_waiting_bytes_max;
  prometheus::Counter& publications_replaced;
  prometheus::Counter& publications_dropped_full;
  prometheus::Counter& publications_dropped_expired;
  prometheus::Counter& publications_dropped_refused;  // By the broker.
  prometheus::Counter& publications_dropped_store;    // The disk did not take them.
  // User messages on their way up, and commands.
  prometheus::Gauge& uploads_waiting;
  prometheus::Gauge& uploads_waiting_bytes;
  prometheus::Gauge& uploads_waiting_bytes_max;
  prometheus::Counter& uploads_handed_over;
  prometheus::Counter& uploads_dropped_full;
  prometheus::Counter& uploads_dropped_expired;
  prometheus::Counter& uploads_dropped_refused;  // By edgehub-svc, for good.
  prometheus::Counter& commands_done;
  prometheus::Counter& commands_refused;
  // The store.
  prometheus::Counter& commits_ok;
  prometheus::Counter& commits_failed;
  prometheus::Counter& store_repairs;
  // twin-svc.
  prometheus::Gauge& twins_connected;
  prometheus::Gauge& devices;
  prometheus::Gauge& twins_cached_bytes;
  prometheus::Gauge& twins_cached_bytes_max;
  prometheus::Counter& documents_skipped;  // The state before was not known any more.
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_METRICS_H_
