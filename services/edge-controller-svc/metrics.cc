#include "services/edge-controller-svc/metrics.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"

namespace skerry::edgecontroller {
namespace {

prometheus::Counter& At(const std::map<std::string, prometheus::Counter*>& counters,
                        const std::string& key) {
  const auto it = counters.find(key);
  SKERRY_CHECK(it != counters.end());  // Label values are constants of the code.
  return *it->second;
}

}  // namespace

EdgeControllerMetrics::EdgeControllerMetrics(metrics::Registry& registry)
    : hubs(registry, "skerry_edgecontroller"),
      streams(registry.Gauge("skerry_edgecontroller_streams",
                             "Streams to pods (logs, exec, attach, port-forward) that are open.")),
      leases_renewed(
          registry.Counter("skerry_edgecontroller_leases_renewed_total", "Node leases renewed.")),
      nodes_lost(registry.Counter("skerry_edgecontroller_nodes_lost_total",
                                  "Nodes marked Unknown because nothing was heard.")),
      pods_collected(registry.Counter("skerry_edgecontroller_pods_collected_total",
                                      "Pods deleted because their node no longer exists.")),
      events_dropped(registry.Counter("skerry_edgecontroller_events_dropped_total",
                                      "Kubernetes Events that could not be recorded.")),
      report_controller(registry, "report"),
      event_controller(registry, "event"),
      node_controller(registry, "node"),
      pod_gc_controller(registry, "pod_gc"),
      pods(registry, "pods"),
      config_maps(registry, "configmaps"),
      secrets(registry, "secrets"),
      service_accounts(registry, "serviceaccounts"),
      nodes(registry, "nodes") {
  for (const char* type : {"pods", "nodes", "other"}) {
    for (const char* result :
         {"applied", "unchanged", "dropped", "rejected", "superseded", "deferred"}) {
      reports_[absl::StrCat(type, "/", result)] = &registry.Counter(
          "skerry_edgecontroller_reports_total", "Reports of edge nodes by what became of them.",
          {{"type", type}, {"result", result}});
    }
  }
  for (const char* result : {"created", "updated", "unchanged", "gone", "rejected", "deferred"}) {
    node_events_[result] =
        &registry.Counter("skerry_edgecontroller_node_events_total",
                          "Events of edge nodes by what became of them.", {{"result", result}});
  }
  for (const char* result : {"opened", "failed", "no_route", "refused"}) {
    streams_[result] = &registry.Counter("skerry_edgecontroller_streams_total",
                                         "Requests for streams to pods.", {{"result", result}});
  }
}

prometheus::Counter& EdgeControllerMetrics::Report(absl::string_view type,
                                                   absl::string_view result) {
  const bool known = type == "pods" || type == "nodes";
  return At(reports_, absl::StrCat(known ? type : "other", "/", result));
}

prometheus::Counter& EdgeControllerMetrics::NodeEvent(absl::string_view result) {
  return At(node_events_, std::string(result));
}

prometheus::Counter& EdgeControllerMetrics::Stream(absl::string_view result) {
  return At(streams_, std::string(result));
}

}  // namespace skerry::edgecontroller
