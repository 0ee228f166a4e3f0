// Who calls, and whether it may: decided once a call, before its handler runs.
//
// gRPC's own hook for this (AuthMetadataProcessor) loses the details of what it refuses, and a
// refusal without its reason is of little use to a program. So the decision is made by an
// interceptor, kept with the call, and read by ScopeOf, by which every handler begins. Methods of
// gRPC itself (health, reflection) do not begin so: their calls end with code and message.
#ifndef SKERRY_SERVICES_LIB_RPC_ADMISSION_H_
#define SKERRY_SERVICES_LIB_RPC_ADMISSION_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/token_authenticator.h"

namespace skerry::rpc {

// Lives as long as its call.
struct CallVerdict {
  absl::Status refusal;  // OK: admitted.
  PeerIdentity peer;
};

// For a server with TLS. A certificate counts before a token, as with kube-apiserver. `tokens` is
// null where only certificates count, else it outlives the server.
//
// UNAUTHENTICATED / CREDENTIALS_MISSING, TOKEN_INVALID and what `tokens` says;
// PERMISSION_DENIED / USER_UNBOUND, METHOD_DENIED.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeAdmission(
    security::MethodPolicy policy, security::TokenAuthenticator* tokens);

// What was decided about a call; null where its server decides nothing.
const CallVerdict* VerdictOf(const grpc::ServerContextBase& context);

// Who shows a certificate on this connection; empty where nobody does.
PeerIdentity CertificatePeer(const grpc::ServerContextBase& context);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_ADMISSION_H_
