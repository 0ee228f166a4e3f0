// TLS of a server, and who may call what on it.
#ifndef SKERRY_SERVICES_LIB_RPC_USE_TLS_H_
#define SKERRY_SERVICES_LIB_RPC_USE_TLS_H_

#include "absl/status/status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/tls.h"
#include "services/lib/security/token_authenticator.h"

namespace skerry::rpc {

// With `tokens`, which outlives the server, a caller shows a certificate or a token; null: a
// certificate. A method is refused to callers whose organizations `policy` does not name for it.
// Errors as of security::MutualTlsServer.
absl::Status UseTls(ServerOptions& options, const security::TlsFiles& files,
                    security::MethodPolicy policy, security::TokenAuthenticator* tokens = nullptr);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_USE_TLS_H_
