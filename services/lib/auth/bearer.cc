#include "services/lib/auth/bearer.h"

#include <utility>

#include "services/lib/auth/token_bindings.h"
#include "services/lib/auth/token_review.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"

namespace skerry::auth {

absl::StatusOr<std::unique_ptr<TokenReviews>> OpenBearer(const BearerConfig& config,
                                                         absl::string_view kubeconfig,
                                                         absl::string_view user_agent, Clock& clock,
                                                         metrics::Registry& registry,
                                                         const log::Logger& log) {
  if (!config.enabled) return nullptr;
  SKERRY_ASSIGN_OR_RETURN(TokenBindings bindings,
                          TokenBindings::Parse(config.users, config.groups));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<kubeclient::ConfigSource> source,
                          kubeclient::ConfigSource::Open(kubeconfig, log));
  auto client = std::make_shared<kubeclient::CurlClient>(std::move(source), user_agent);
  TokenReviews::Post post = [client = std::move(client)](const std::string& body,
                                                         absl::Duration timeout,
                                                         std::stop_token stop) {
    return client->PostRaw(kTokenReviewPath, body, {.timeout = timeout, .stop = std::move(stop)});
  };
  return std::make_unique<TokenReviews>(TokenReviews::Options{.audience = config.audience},
                                        std::move(bindings), std::move(post), clock, registry, log);
}

}  // namespace skerry::auth
