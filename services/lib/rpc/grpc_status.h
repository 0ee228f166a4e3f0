// The one mapping between absl::Status and grpc::Status. ErrorInfo travels as google.rpc.Status
// details.
#ifndef SKERRY_SERVICES_LIB_RPC_GRPC_STATUS_H_
#define SKERRY_SERVICES_LIB_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "api/google/rpc/status.pb.h"

namespace skerry::rpc {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

// As a message inside frames; OK is code 0.
google::rpc::Status ToProto(const absl::Status& status);
absl::Status FromProto(const google::rpc::Status& status);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_GRPC_STATUS_H_
