// Rate, errors and duration of the API, and its watches.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_SERVER_METRICS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_SERVER_METRICS_H_

#include <map>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/metrics/registry.h"

namespace skerry::kubeapi {

// Any thread may call it. The registry outlives it.
class ServerMetrics {
 public:
  explicit ServerMetrics(metrics::Registry& registry);

  // resource: a built-in kind's plural, "custom", or "" for other paths. Only pairs that occur get
  // a series: most of the product of verbs, resources and codes never does.
  void RequestDone(absl::string_view verb, absl::string_view resource, int code,
                   absl::Duration time);
  void WatchStarted() { watches_.Increment(); }
  void WatchEnded() { watches_.Decrement(); }

 private:
  metrics::Registry& registry_;
  prometheus::Gauge& watches_;
  absl::Mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, prometheus::Counter*> requests_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::string, prometheus::Histogram*> seconds_;  // By verb; fixed after construction.
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_SERVER_METRICS_H_
