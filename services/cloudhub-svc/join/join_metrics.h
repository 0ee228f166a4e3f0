// How requests at the join port ended.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_METRICS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_METRICS_H_

#include <prometheus/counter.h>

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/metrics/registry.h"

namespace skerry::cloudhub {

// skerry_cloudhub_join_requests_total{reason}: "ISSUED" counts the certificates.
// skerry_cloudhub_renewal_requests_total{reason}: "RENEWED"; "REENROLLED" after the old one had
// ended.
// skerry_cloudhub_token_requests_total{reason}: "GOOD"; looks at tokens before a join.
//
// Any thread may call it; `registry` outlives it.
class JoinMetrics {
 public:
  explicit JoinMetrics(metrics::Registry& registry);
  void CountJoin(absl::string_view reason) { Count(joins_, reason); }
  void CountRenewal(absl::string_view reason) { Count(renewals_, reason); }
  void CountToken(absl::string_view reason) { Count(tokens_, reason); }

 private:
  using Counters = std::map<std::string, prometheus::Counter*>;
  static void Count(Counters& counters, absl::string_view reason);

  Counters joins_;
  Counters renewals_;
  Counters tokens_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_JOIN_METRICS_H_
