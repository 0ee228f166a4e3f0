// Shows what SyncLag counts.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_SYNC_LAG_GAUGES_H_
#define SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_SYNC_LAG_GAUGES_H_

#include <prometheus/gauge.h>

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edge-meta-svc/core/sync_lag.h"
#include "services/edge-meta-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edgemeta {

// A gauge for each type, brought up to date by every call and, while a lag grows, every five
// seconds: a box that is in step, or has no link, is not woken. On `executor` only, but for the
// constructor and Behind; everything given outlives it, and the executor is stopped before it ends.
class SyncLagGauges {
 public:
  SyncLagGauges(const std::vector<std::string>& types, exec::SerialExecutor& executor, Clock& clock,
                MetaMetrics& metrics);

  void Linked(bool linked);
  void Subscribed(absl::string_view type);
  void InStep(absl::string_view type);

  // The lag now, which the gauge may show up to five seconds late. Any thread.
  absl::Duration Behind(absl::string_view type) const;

 private:
  void Show();

  exec::SerialExecutor& executor_;
  Clock& clock_;
  mutable absl::Mutex mutex_;
  SyncLag lag_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Gauge*> gauges_;
  bool posted_ = false;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_ADAPTERS_SYNC_LAG_GAUGES_H_
