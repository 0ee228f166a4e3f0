// Metrics of the process itself, under the names that every Prometheus client library uses.
#ifndef SKERRY_SERVICES_LIB_METRICS_PROCESS_COLLECTOR_H_
#define SKERRY_SERVICES_LIB_METRICS_PROCESS_COLLECTOR_H_

#include <prometheus/metric_family.h>

#include <vector>

namespace skerry::metrics {

// Read from /proc now. A value that cannot be read is left out.
std::vector<prometheus::MetricFamily> CollectProcess();

}  // namespace skerry::metrics

#endif  // SKERRY_SERVICES_LIB_METRICS_PROCESS_COLLECTOR_H_
