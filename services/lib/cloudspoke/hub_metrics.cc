#include "services/lib/cloudspoke/hub_metrics.h"

#include <prometheus/registry.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"

namespace skerry::cloudspoke {
namespace {

prometheus::Counter& At(const std::map<std::string, prometheus::Counter*>& counters,
                        const std::string& key) {
  const auto it = counters.find(key);
  SKERRY_CHECK(it != counters.end());  // Label values are constants of the code.
  return *it->second;
}

}  // namespace

HubMetrics::HubMetrics(metrics::Registry& registry, absl::string_view prefix)
    : hubs(registry.Gauge(absl::StrCat(prefix, "_hubs"), "Hubs that are known.")),
      hubs_attached(registry.Gauge(absl::StrCat(prefix, "_hubs_attached"),
                                   "Hubs that this process is attached to.")),
      nodes_connected(
          registry.Gauge(absl::StrCat(prefix, "_nodes_connected"), "Edge nodes with a session.")),
      push_bytes(
          registry.Counter(absl::StrCat(prefix, "_push_bytes_total"), "Bytes of objects pushed.")),
      pushes_rejected(registry.Counter(absl::StrCat(prefix, "_pushes_rejected_total"),
                                       "Objects that an edge node refused.")),
      hub_nodes_(prometheus::BuildGauge()
                     .Name(absl::StrCat(prefix, "_hub_nodes"))
                     .Help("Edge nodes with a session, by the hub that has it.")
                     .Register(*registry.raw())) {
  for (const char* change : {"upsert", "delete", "synced"}) {
    pushes_[change] = &registry.Counter(absl::StrCat(prefix, "_pushes_total"),
                                        "Changes sent to edge nodes.", {{"change", change}});
  }
  for (const char* reason : {"stale_session", "malformed", "unknown_type", "holdings_bound"}) {
    dropped_[reason] =
        &registry.Counter(absl::StrCat(prefix, "_frames_dropped_total"),
                          "Frames of hubs that were not served.", {{"reason", reason}});
  }
}

void HubMetrics::SetHubNodes(const std::string& hub, double nodes) {
  absl::MutexLock lock(&mutex_);
  prometheus::Gauge*& gauge = hub_nodes_by_hub_[hub];
  if (gauge == nullptr) gauge = &hub_nodes_.Add({{"hub", hub}});
  gauge->Set(nodes);
}

void HubMetrics::ForgetHub(const std::string& hub) {
  absl::MutexLock lock(&mutex_);
  const auto it = hub_nodes_by_hub_.find(hub);
  if (it == hub_nodes_by_hub_.end()) return;
  hub_nodes_.Remove(it->second);
  hub_nodes_by_hub_.erase(it);
}

prometheus::Counter& HubMetrics::Push(absl::string_view change) {
  return At(pushes_, std::string(change));
}

prometheus::Counter& HubMetrics::FrameDropped(absl::string_view reason) {
  return At(dropped_, std::string(reason));
}

}  // namespace skerry::cloudspoke
