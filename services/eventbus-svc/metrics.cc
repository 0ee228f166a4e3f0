#include "services/eventbus-svc/metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::eventbus {
namespace {

constexpr char kConnects[] = "skerry_eventbus_mqtt_connects_total";
constexpr char kConnectsHelp[] = "Attempts to connect to the broker, by their end.";
constexpr char kReceived[] = "skerry_eventbus_messages_received_total";
constexpr char kReceivedHelp[] = "Messages from the broker, by what their topic means.";
constexpr char kRefused[] = "skerry_eventbus_messages_refused_total";
constexpr char kRefusedHelp[] = "Messages from the broker that changed nothing.";
constexpr char kDropped[] = "skerry_eventbus_publications_dropped_total";
constexpr char kDroppedHelp[] = "Publications that were given up before the broker had them.";
constexpr char kUploadsDropped[] = "skerry_eventbus_uploads_dropped_total";
constexpr char kUploadsDroppedHelp[] = "User messages given up before edgehub-svc had them.";
constexpr char kCommands[] = "skerry_eventbus_commands_total";
constexpr char kCommandsHelp[] = "Commands \"mqttpublish\" of the cloud.";
constexpr char kCommits[] = "skerry_eventbus_commits_total";
constexpr char kCommitsHelp[] = "Transactions of the store.";

}  // namespace

BusMetrics::BusMetrics(metrics::Registry& r)
    : mqtt_connected(r.Gauge("skerry_eventbus_mqtt_connected", "1 while the broker is there.")),
      connects_ok(r.Counter(kConnects, kConnectsHelp, {{"result", "ok"}})),
      connects_refused(r.Counter(kConnects, kConnectsHelp, {{"result", "refused"}})),
      connects_unreachable(r.Counter(kConnects, kConnectsHelp, {{"result", "unreachable"}})),
      subscriptions_refused(r.Gauge("skerry_eventbus_subscriptions_refused",
                                    "Topic filters that the broker did not grant.")),
      rule_topics(r.Gauge("skerry_eventbus_rule_topics",
                          "Subscriptions that rules ask for, beside the fixed ones.")),
      meta_connected(
          r.Gauge("skerry_eventbus_meta_connected", "1 while the box's rules are followed.")),
      received_twin_update(r.Counter(kReceived, kReceivedHelp, {{"topic", "twin_update"}})),
      received_twin_get(r.Counter(kReceived, kReceivedHelp, {{"topic", "twin_get"}})),
      received_state_update(r.Counter(kReceived, kReceivedHelp, {{"topic", "state_update"}})),
      received_membership_get(r.Counter(kReceived, kReceivedHelp, {{"topic", "membership_get"}})),
      received_user(r.Counter(kReceived, kReceivedHelp, {{"topic", "user"}})),
      refused_topic(r.Counter(kRefused, kRefusedHelp, {{"reason", "topic"}})),
      refused_size(r.Counter(kRefused, kRefusedHelp, {{"reason", "size"}})),
      refused_retained(r.Counter(kRefused, kRefusedHelp, {{"reason", "retained"}})),
      refused_invalid(r.Counter(kRefused, kRefusedHelp, {{"reason", "invalid"}})),
      refused_busy(r.Counter(kRefused, kRefusedHelp, {{"reason", "busy"}})),
      refused_store(r.Counter(kRefused, kRefusedHelp, {{"reason", "store"}})),
      repeated(r.Counter(kRefused, kRefusedHelp, {{"reason", "repeated"}})),
      requests_waiting_bytes(r.Gauge("skerry_eventbus_requests_waiting_bytes",
                                     "Bytes of devices' requests that wait for their turn.")),
      requests_waiting_bytes_max(r.Gauge("skerry_eventbus_requests_waiting_bytes_max",
                                         "The bound of devices' requests in memory.")),
      requests_unlogged(r.Counter("skerry_eventbus_requests_unlogged_total",
                                  "Requests that the disk did not take: a crash would lose them.")),
      requests_resumed(r.Counter("skerry_eventbus_requests_resumed_total",
                                 "Requests that a former process had not answered.")),
      requests_deferred(r.Counter("skerry_eventbus_requests_deferred_total",
                                  "Requests that wait in the log, for room in memory.")),
      published(r.Counter("skerry_eventbus_published_total", "Publications that the broker has.")),
      publish_failed(r.Counter("skerry_eventbus_publish_failed_total",
                               "Attempts to publish that failed; they are repeated.")),
      publications_waiting(r.Gauge("skerry_eventbus_publications_waiting",
                                   "Publications that wait for the broker.")),
      publications_waiting_bytes(r.Gauge("skerry_eventbus_publications_waiting_bytes",
                                         "Bytes of publications that wait for the broker.")),
      publications_waiting_bytes_max(r.Gauge("skerry_eventbus_publications_waiting_bytes_max",
                                             "The bound of publications that wait.")),
      publications_replaced(r.Counter("skerry_eventbus_publications_replaced_total",
                                      "Waiting publications that a newer state made obsolete.")),
      publications_dropped_full(r.Counter(kDropped, kDroppedHelp, {{"reason", "full"}})),
      publications_dropped_expired(r.Counter(kDropped, kDroppedHelp, {{"reason", "expired"}})),
      publications_dropped_refused(r.Counter(kDropped, kDroppedHelp, {{"reason", "refused"}})),
      publications_dropped_store(r.Counter(kDropped, kDroppedHelp, {{"reason", "store"}})),
      uploads_waiting(
          r.Gauge("skerry_eventbus_uploads_waiting", "User messages that wait for edgehub-svc.")),
      uploads_waiting_bytes(r.Gauge("skerry_eventbus_uploads_waiting_bytes",
                                    "Bytes of user messages that wait for edgehub-svc.")),
      uploads_waiting_bytes_max(r.Gauge("skerry_eventbus_uploads_waiting_bytes_max",
                                        "The bound of user messages that wait.")),
      uploads_handed_over(r.Counter("skerry_eventbus_uploads_handed_over_total",
                                    "User messages that edgehub-svc has stored.")),
      uploads_dropped_full(r.Counter(kUploadsDropped, kUploadsDroppedHelp, {{"reason", "full"}})),
      uploads_dropped_expired(
          r.Counter(kUploadsDropped, kUploadsDroppedHelp, {{"reason", "expired"}})),
      uploads_dropped_refused(
          r.Counter(kUploadsDropped, kUploadsDroppedHelp, {{"reason", "refused"}})),
      commands_done(r.Counter(kCommands, kCommandsHelp, {{"result", "done"}})),
      commands_refused(r.Counter(kCommands, kCommandsHelp, {{"result", "refused"}})),
      commits_ok(r.Counter(kCommits, kCommitsHelp, {{"result", "ok"}})),
      commits_failed(r.Counter(kCommits, kCommitsHelp, {{"result", "failed"}})),
      store_repairs(r.Counter("skerry_eventbus_store_repairs_total",
                              "Damaged files that were set aside and made anew.")),
      twins_connected(
          r.Gauge("skerry_eventbus_twins_connected", "1 while twin-svc's twins are known.")),
      devices(r.Gauge("skerry_eventbus_devices", "Devices that twin-svc has.")),
      twins_cached_bytes(
          r.Gauge("skerry_eventbus_twins_cached_bytes", "Bytes of the last known twins.")),
      twins_cached_bytes_max(
          r.Gauge("skerry_eventbus_twins_cached_bytes_max", "The bound of the last known twins.")),
      documents_skipped(r.Counter("skerry_eventbus_documents_skipped_total",
                                  "Documents without a state before, which were not published.")) {}

}  // namespace skerry::eventbus
