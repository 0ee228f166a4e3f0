// Metrics over prometheus-cpp. One …Metrics class per component takes a Registry and creates all
// its series (every label value, at zero) in its constructor.
#ifndef SKERRY_SERVICES_LIB_METRICS_REGISTRY_H_
#define SKERRY_SERVICES_LIB_METRICS_REGISTRY_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::metrics {

using Labels = std::map<std::string, std::string>;

// Any thread may call it. What it returns lives as long as the registry. Names are
// skerry_<component>_<thing>_<unit>[_total]; a bad name aborts (names are constants).
class Registry {
 public:
  explicit Registry(
      absl::string_view service);  // Adds skerry_build_info{version,commit} and process metrics.

  prometheus::Counter& Counter(absl::string_view name, absl::string_view help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(absl::string_view name, absl::string_view help,
                           const Labels& labels = {});
  prometheus::Histogram& Histogram(absl::string_view name, absl::string_view help,
                                   const std::vector<double>& bounds, const Labels& labels = {});

  // Text exposition format.
  std::string Render() const;
  std::shared_ptr<prometheus::Registry> raw() { return registry_; }

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

// Upper bounds in seconds for calls of 1 ms to 10 s.
std::vector<double> LatencyBounds();

}  // namespace skerry::metrics

#endif  // SKERRY_SERVICES_LIB_METRICS_REGISTRY_H_
