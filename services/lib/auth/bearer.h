// Bearer tokens on a service's gRPC API: what the settings make.
#ifndef SKERRY_SERVICES_LIB_AUTH_BEARER_H_
#define SKERRY_SERVICES_LIB_AUTH_BEARER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/auth/bearer_config.h"
#include "services/lib/auth/token_reviews.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"

namespace skerry::auth {

// Null where it is not enabled. Asks the API of `kubeconfig` (empty: the pod's own). Errors as of
// kubeclient::ConfigSource::Open. `clock` and `registry` outlive it.
absl::StatusOr<std::unique_ptr<TokenReviews>> OpenBearer(const BearerConfig& config,
                                                         absl::string_view kubeconfig,
                                                         absl::string_view user_agent, Clock& clock,
                                                         metrics::Registry& registry,
                                                         const log::Logger& log);

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_BEARER_H_
