// RED metrics of a gRPC server: skerry_rpc_server_handling_seconds{service,method,code}.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "services/lib/metrics/registry.h"

namespace skerry::rpc {

// Observes every call of its server from its start to its status; a stream counts once, with its
// whole life. `registry` outlives the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerMetrics(
    metrics::Registry& registry);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
