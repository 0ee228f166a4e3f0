#include "services/lib/metrics/registry.h"

#include <prometheus/text_serializer.h>

#include <cctype>

#include "absl/strings/match.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/check.h"
#include "services/lib/metrics/process_collector.h"

namespace skerry::metrics {
namespace {

void CheckName(absl::string_view name) {
  SKERRY_CHECK(absl::StartsWith(name, "skerry_"));
  for (char c : name)
    SKERRY_CHECK(std::islower(static_cast<unsigned char>(c)) ||
                 std::isdigit(static_cast<unsigned char>(c)) || c == '_');
}

}  // namespace

Registry::Registry(absl::string_view service)
    : registry_(std::make_shared<prometheus::Registry>()) {
  Gauge("skerry_build_info", "Always 1; its labels tell which build this is",
        {{"service", std::string(service)}, {"version", BuildVersion()}, {"commit", BuildCommit()}})
      .Set(1);
}

prometheus::Counter& Registry::Counter(absl::string_view name, absl::string_view help,
                                       const Labels& labels) {
  CheckName(name);
  SKERRY_CHECK(absl::EndsWith(name, "_total"));
  return prometheus::BuildCounter()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(labels);
}

prometheus::Gauge& Registry::Gauge(absl::string_view name, absl::string_view help,
                                   const Labels& labels) {
  CheckName(name);
  SKERRY_CHECK(!absl::EndsWith(name, "_total"));
  return prometheus::BuildGauge()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(labels);
}

prometheus::Histogram& Registry::Histogram(absl::string_view name, absl::string_view help,
                                           const std::vector<double>& bounds,
                                           const Labels& labels) {
  CheckName(name);
  return prometheus::BuildHistogram()
      .Name(std::string(name))
      .Help(std::string(help))
      .Register(*registry_)
      .Add(labels, bounds);
}

std::string Registry::Render() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (prometheus::MetricFamily& family : CollectProcess()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

std::vector<double> LatencyBounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace skerry::metrics
