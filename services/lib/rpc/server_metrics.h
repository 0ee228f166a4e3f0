// RED metrics of a gRPC server: skerry_rpc_server_handling_seconds{service,method,code}.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_

#include <grpcpp/server_builder.h>

#include "services/lib/metrics/registry.h"

namespace skerry::rpc {

// Observes every call of the server being built from its start to its status; a stream counts once,
// with its whole life. `registry` outlives the server.
void AddServerMetrics(metrics::Registry& registry, grpc::ServerBuilder& builder);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
