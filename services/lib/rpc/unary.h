// The only place that calls Finish for unary calls. RunUnary: the handler is a plain function that
// may block; it runs on a bounded pool. RunAsync: the answer comes from elsewhere.
#ifndef SKERRY_SERVICES_LIB_RPC_UNARY_H_
#define SKERRY_SERVICES_LIB_RPC_UNARY_H_

#include <grpcpp/support/server_callback.h>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/rpc/scope.h"

namespace skerry::rpc {

// A call that its server does not admit ends with the refusal (admission.h); neither handler nor
// `begin` is called. A call without a deadline gets 10 s. A full pool is RESOURCE_EXHAUSTED /
// SERVER_BUSY. A call that was cancelled or ran out of time before its turn is not handled. Request
// and response stay valid until the handler returns; a handler that outlives its deadline holds up
// the server's shutdown.
grpc::ServerUnaryReactor* RunUnary(
    grpc::CallbackServerContext* context, exec::ThreadPool& pool,
    absl::AnyInvocable<absl::Status(const CallScope& scope)> handler);

// `begin` runs here and now, and must not block. It is given `finish`, which ends the call with a
// status, once, from any thread, also when the client is gone; dropped without a call it ends the
// call with INTERNAL. Request and response stay valid until then.
grpc::ServerUnaryReactor* RunAsync(
    grpc::CallbackServerContext* context,
    absl::FunctionRef<void(const CallScope& scope, absl::AnyInvocable<void(absl::Status)> finish)>
        begin);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_UNARY_H_
