// What a mapper counts.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_METRICS_H_
#define SKERRY_SERVICES_MAPPERS_LIB_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace skerry::metrics {
class Registry;
}

namespace skerry::mapper {

// Any thread may use it; `registry` outlives it.
struct MapperMetrics {
  explicit MapperMetrics(metrics::Registry& registry);

  prometheus::Gauge& registered;
  prometheus::Counter& registrations_ok;
  prometheus::Counter& registrations_failed;
  prometheus::Gauge& devices;
  prometheus::Gauge& devices_online;
  prometheus::Counter& devices_refused;
  prometheus::Counter& reads_ok;
  prometheus::Counter& reads_failed;
  prometheus::Counter& writes_ok;
  prometheus::Counter& writes_failed;
  prometheus::Counter& reports_ok;
  prometheus::Counter& reports_failed;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_METRICS_H_
