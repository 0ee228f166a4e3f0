// The same for what has gRPC among its deps.
#ifndef SKERRY_TOOLS_BAZEL_PCH_GRPC_H_
#define SKERRY_TOOLS_BAZEL_PCH_GRPC_H_

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include "tools/bazel/pch/base.h"

#endif  // SKERRY_TOOLS_BAZEL_PCH_GRPC_H_
