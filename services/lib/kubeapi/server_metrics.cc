#include "services/lib/kubeapi/server_metrics.h"

#include "absl/strings/str_cat.h"

namespace skerry::kubeapi {

ServerMetrics::ServerMetrics(metrics::Registry& registry)
    : registry_(registry),
      watches_(registry.Gauge("skerry_kubeapi_watches", "Watches that are open.")) {
  for (const char* verb : {"get", "list", "watch", "create", "update", "patch", "delete",
                           "deletecollection", "other"}) {
    seconds_[verb] = &registry.Histogram(
        "skerry_kubeapi_request_seconds",
        "From a request's arrival at a worker to its answer (of a watch: to its start).",
        metrics::LatencyBounds(), {{"verb", verb}});
  }
}

void ServerMetrics::RequestDone(absl::string_view verb, absl::string_view resource, int code,
                                absl::Duration time) {
  std::string known(verb);
  if (seconds_.count(known) == 0) known = "other";
  seconds_[known]->Observe(absl::ToDoubleSeconds(time));
  absl::MutexLock lock(&mutex_);
  prometheus::Counter*& counter = requests_[{known, std::string(resource), code}];
  if (counter == nullptr) {
    counter = &registry_.Counter(
        "skerry_kubeapi_requests_total", "Requests by verb, resource and HTTP code.",
        {{"verb", known}, {"resource", std::string(resource)}, {"code", absl::StrCat(code)}});
  }
  counter->Increment();
}

}  // namespace skerry::kubeapi
