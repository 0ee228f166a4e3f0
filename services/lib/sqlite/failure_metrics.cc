#include "services/lib/sqlite/failure_metrics.h"

#include <prometheus/counter.h>

namespace skerry::sqlite {
namespace {

prometheus::Counter& Counter(metrics::Registry& registry, const char* reason) {
  return registry.Counter("skerry_sqlite_failures_total",
                          "Statements and commits that failed for the disk or the file.",
                          {{"reason", reason}});
}

}  // namespace

std::function<void(const absl::Status&)> CountFailures(metrics::Registry& registry) {
  return [&full = Counter(registry, "full"), &damaged = Counter(registry, "damaged"),
          &other = Counter(registry, "other")](const absl::Status& status) {
    prometheus::Counter& counter = absl::IsResourceExhausted(status) ? full
                                   : absl::IsDataLoss(status)        ? damaged
                                                                     : other;
    counter.Increment();
  };
}

}  // namespace skerry::sqlite
