// Counts what the disk did to a service's databases.
#ifndef SKERRY_SERVICES_LIB_SQLITE_FAILURE_METRICS_H_
#define SKERRY_SERVICES_LIB_SQLITE_FAILURE_METRICS_H_

#include <functional>

#include "absl/status/status.h"
#include "services/lib/metrics/registry.h"

namespace skerry::sqlite {

// For Environment::on_failure: skerry_sqlite_failures_total{reason="full"|"damaged"|"other"}. Any
// thread may call it; the registry outlives it.
std::function<void(const absl::Status&)> CountFailures(metrics::Registry& registry);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_FAILURE_METRICS_H_
