// RunUnary: the only place that calls Finish for unary calls. The handler is a plain function that
// may block; it runs on a bounded pool.
#ifndef SKERRY_SERVICES_LIB_RPC_UNARY_H_
#define SKERRY_SERVICES_LIB_RPC_UNARY_H_

#include <grpcpp/support/server_callback.h>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/rpc/scope.h"

namespace skerry::rpc {

// A call without a deadline gets 10 s. A full pool is RESOURCE_EXHAUSTED / SERVER_BUSY. A call that
// was cancelled or ran out of time before its turn is not handled. Request and response stay valid
// until the handler returns; a handler that outlives its deadline holds up the server's shutdown.
grpc::ServerUnaryReactor* RunUnary(
    grpc::CallbackServerContext* context, exec::ThreadPool& pool,
    absl::AnyInvocable<absl::Status(const CallScope& scope)> handler);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_UNARY_H_
