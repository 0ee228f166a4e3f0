#include "services/cloudhub-svc/join/join_metrics.h"

#include "services/cloudhub-svc/join/refusals.h"

namespace skerry::cloudhub {

JoinMetrics::JoinMetrics(metrics::Registry& registry) {
  const auto add_join = [&](const char* reason) {
    joins_[reason] = &registry.Counter("skerry_cloudhub_join_requests_total",
                                       "Join requests by how they ended.", {{"reason", reason}});
  };
  const auto add_renewal = [&](const char* reason) {
    renewals_[reason] = &registry.Counter(
        "skerry_cloudhub_renewal_requests_total",
        "Nodes' requests for a new certificate by how they ended.", {{"reason", reason}});
  };
  const auto add_token = [&](const char* reason) {
    tokens_[reason] = &registry.Counter("skerry_cloudhub_token_requests_total",
                                        "Looks at join tokens before a join by how they ended.",
                                        {{"reason", reason}});
  };
  add_join("ISSUED");
  add_token("GOOD");
  add_renewal("RENEWED");
  add_renewal("REENROLLED");
  for (const Refusal& refusal : AllRefusals()) {
    add_join(refusal.reason);
    add_renewal(refusal.reason);
    add_token(refusal.reason);
  }
}

void JoinMetrics::Count(Counters& counters, absl::string_view reason) {
  auto found = counters.find(std::string(reason));
  if (found != counters.end()) found->second->Increment();
}

}  // namespace skerry::cloudhub
