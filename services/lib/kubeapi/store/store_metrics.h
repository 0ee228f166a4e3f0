// The metrics of an object store.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_METRICS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/metrics/registry.h"

namespace skerry::kubeapi {

// Any thread may call it. The registry outlives it.
class StoreMetrics {
 public:
  explicit StoreMetrics(metrics::Registry& registry);

  void WriteDone(const absl::Status& status);
  void GroupCommitted(size_t writes, absl::Duration time);
  void SetWatches(size_t watches);
  void SetLog(int64_t changes, int64_t bytes);
  void SetRevisions(int64_t current, int64_t compacted);

 private:
  prometheus::Counter& committed_;
  prometheus::Counter& conflict_;
  prometheus::Counter& failed_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& group_writes_;
  prometheus::Gauge& watches_;
  prometheus::Gauge& log_changes_;
  prometheus::Gauge& log_bytes_;
  prometheus::Gauge& revision_;
  prometheus::Gauge& compacted_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_METRICS_H_
