#include "services/lib/rpc/use_tls.h"

#include <utility>

#include "services/lib/base/status_macros.h"

namespace skerry::rpc {

absl::Status UseTls(ServerOptions& options, const security::TlsFiles& files,
                    security::MethodPolicy policy, security::TokenAuthenticator* tokens) {
  SKERRY_ASSIGN_OR_RETURN(options.credentials,
                          security::MutualTlsServer(
                              files, tokens == nullptr ? security::ClientCertificates::kRequired
                                                       : security::ClientCertificates::kOptional));
  options.policy = std::move(policy);
  options.tokens = tokens;
  return absl::OkStatus();
}

}  // namespace skerry::rpc
