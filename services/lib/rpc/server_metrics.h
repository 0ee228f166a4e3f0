// Metrics of a gRPC server: rate, errors and duration of unary calls; streams, whose life is no
// measure of how fast the server is.
#ifndef SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
#define SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "services/lib/metrics/registry.h"

namespace skerry::rpc {

// skerry_rpc_server_handling_seconds{service,method,code}: every unary call, from its start to its
// status. Of streams skerry_rpc_server_streams{service,method}: those that are open,
// skerry_rpc_server_stream_ends_total{service,method,code}, and
// skerry_rpc_server_stream_messages_total{service,method,direction="received"|"sent"}.
// `registry` outlives the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerMetrics(
    metrics::Registry& registry);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_SERVER_METRICS_H_
