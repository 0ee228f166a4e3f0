// The CallScope of a gRPC call: the only place that reads identity and deadline from a server
// context.
#ifndef SKERRY_SERVICES_LIB_RPC_SCOPE_H_
#define SKERRY_SERVICES_LIB_RPC_SCOPE_H_

#include <grpcpp/server_context.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::rpc {

// Deadline and identity of a call; `cancelled` is left to the reactor that serves it. Where the
// call's server has refused it (admission.h): the refusal, with which the call is to end.
absl::StatusOr<CallScope> ScopeOf(const grpc::ServerContextBase& context);

// As the client set it; InfiniteFuture where it did not.
absl::Time DeadlineOf(const grpc::ServerContextBase& context);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SCOPE_H_
