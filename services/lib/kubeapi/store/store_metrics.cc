#include "services/lib/kubeapi/store/store_metrics.h"

namespace skerry::kubeapi {
namespace {

prometheus::Counter& Writes(metrics::Registry& registry, const char* result) {
  return registry.Counter("skerry_object_store_writes_total", "Writes by result.",
                          {{"result", result}});
}

}  // namespace

StoreMetrics::StoreMetrics(metrics::Registry& registry)
    : committed_(Writes(registry, "committed")),
      conflict_(Writes(registry, "conflict")),
      failed_(Writes(registry, "failed")),
      commit_seconds_(registry.Histogram("skerry_object_store_commit_seconds",
                                         "Time of one group commit, synced.",
                                         metrics::LatencyBounds())),
      group_writes_(registry.Histogram("skerry_object_store_group_writes",
                                       "Writes that shared one commit.",
                                       {1, 2, 4, 8, 16, 32, 64, 128})),
      watches_(registry.Gauge("skerry_object_store_watches", "Open watches.")),
      log_changes_(registry.Gauge("skerry_object_store_log_changes",
                                  "Changes kept for watches and paged lists.")),
      log_bytes_(
          registry.Gauge("skerry_object_store_log_bytes", "Bytes of objects in the kept changes.")),
      revision_(registry.Gauge("skerry_object_store_revision", "Newest revision.")),
      compacted_(registry.Gauge("skerry_object_store_compacted_revision",
                                "Watches work from this revision on.")) {}

void StoreMetrics::WriteDone(const absl::Status& status) {
  if (status.ok()) {
    committed_.Increment();
  } else if (absl::IsAborted(status) || absl::IsNotFound(status) || absl::IsAlreadyExists(status)) {
    conflict_.Increment();
  } else {
    failed_.Increment();
  }
}

void StoreMetrics::GroupCommitted(size_t writes, absl::Duration time) {
  commit_seconds_.Observe(absl::ToDoubleSeconds(time));
  group_writes_.Observe(static_cast<double>(writes));
}

void StoreMetrics::SetWatches(size_t watches) { watches_.Set(static_cast<double>(watches)); }

void StoreMetrics::SetLog(int64_t changes, int64_t bytes) {
  log_changes_.Set(static_cast<double>(changes));
  log_bytes_.Set(static_cast<double>(bytes));
}

void StoreMetrics::SetRevisions(int64_t current, int64_t compacted) {
  revision_.Set(static_cast<double>(current));
  compacted_.Set(static_cast<double>(compacted));
}

}  // namespace skerry::kubeapi
