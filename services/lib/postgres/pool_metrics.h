// The metrics of connections to PostgreSQL and of the transactions on them.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_POOL_METRICS_H_
#define SKERRY_SERVICES_LIB_POSTGRES_POOL_METRICS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/metrics/registry.h"

namespace skerry::postgres {

// Every series exists from the start, at zero. Any thread may use it. The registry outlives it.
class PoolMetrics {
 public:
  explicit PoolMetrics(metrics::Registry& registry);

  // Of one attempt: a transaction that was aborted and tried again counts each time.
  void Transaction(const absl::Status& status, absl::Duration took);

  prometheus::Gauge& connections_max;
  prometheus::Gauge& in_use;
  prometheus::Gauge& idle;
  prometheus::Histogram& wait_seconds;
  prometheus::Counter& busy;
  prometheus::Counter& connects;
  prometheus::Counter& connects_failed;

 private:
  prometheus::Histogram& seconds_;
  prometheus::Counter& ok_;
  prometheus::Counter& aborted_;
  prometheus::Counter& unavailable_;
  prometheus::Counter& refused_;
};

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_POOL_METRICS_H_
