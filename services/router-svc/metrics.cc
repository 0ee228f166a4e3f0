#include "services/router-svc/metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::router {
namespace {

constexpr char kRules[] = "skerry_router_rules";
constexpr char kRulesHelp[] = "Rules that work, and those whose status says what is wrong.";
constexpr char kStatus[] = "skerry_router_status_writes_total";
constexpr char kStatusHelp[] = "Writes of the status of Rules.";

}  // namespace

RouterMetrics::RouterMetrics(metrics::Registry& r)
    : hubs(r, "skerry_router"),
      rules(r, "rules"),
      endpoints(r, "ruleendpoints"),
      intake(r, "event"),
      delivery(r, "delivery"),
      rules_valid(r.Gauge(kRules, kRulesHelp, {{"state", "valid"}})),
      rules_invalid(r.Gauge(kRules, kRulesHelp, {{"state", "invalid"}})),
      delivery_seconds(r.Histogram("skerry_router_delivery_seconds", "How long targets take.",
                                   metrics::LatencyBounds())),
      waiting(r.Gauge("skerry_router_waiting_messages", "Messages that wait for their target.")),
      waiting_bytes(r.Gauge("skerry_router_waiting_bytes", "Bytes of them.")),
      rule_waiting_bytes(r.Gauge("skerry_router_rule_waiting_bytes",
                                 "Bytes of messages that wait, of the rule that has most.")),
      rule_waiting_bytes_max(r.Gauge("skerry_router_rule_waiting_bytes_max",
                                     "The bound of messages of one rule that wait.")),
      dead_letters(r.Gauge("skerry_router_dead_letters", "Messages that never arrived.")),
      dead_letter_bytes(
          r.Gauge("skerry_router_dead_letter_bytes",
                  "Bytes of them; beyond store.dead_letter_bytes_max the oldest go.")),
      dead_letter_bytes_max(r.Gauge("skerry_router_dead_letter_bytes_max",
                                    "The bound of messages that never arrived.")),
      dead_letters_dropped(r.Counter("skerry_router_dead_letters_dropped_total",
                                     "The oldest ones, dropped for room.")),
      store_bytes(r.Gauge("skerry_router_store_bytes", "Size of router.db; 0 with PostgreSQL.")),
      store_bytes_max(
          r.Gauge("skerry_router_store_bytes_max", "The bound of router.db; 0 with PostgreSQL.")),
      status_writes(r.Counter(kStatus, kStatusHelp, {{"result", "ok"}})),
      status_writes_failed(r.Counter(kStatus, kStatusHelp, {{"result", "failed"}})),
      store_repairs(r.Counter("skerry_router_store_repairs_total",
                              "Damaged files that were set aside and made anew.")) {
  for (const char* result :
       {"routed", "unrouted", "repeated", "overflowed", "rejected", "deferred"}) {
    events[result] = &r.Counter("skerry_router_events_total",
                                "Messages of nodes, by what became of them.", {{"result", result}});
  }
  for (const char* result : {"arrived", "again", "dead"}) {
    deliveries[result] = &r.Counter("skerry_router_deliveries_total", "Attempts to post a message.",
                                    {{"result", result}});
  }
  for (const char* result : {"done", "refused", "unauthorized", "no_rule", "failed", "busy"}) {
    requests[result] =
        &r.Counter("skerry_router_requests_total", "REST requests for nodes, by how they ended.",
                   {{"result", result}});
  }
}

void RouterMetrics::Event(absl::string_view result, int64_t count) {
  events.at(std::string(result))->Increment(static_cast<double>(count));
}

}  // namespace skerry::router
