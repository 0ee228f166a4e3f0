// The same for tests that have gRPC among their deps.
#ifndef SKERRY_TOOLS_BAZEL_PCH_TEST_GRPC_H_
#define SKERRY_TOOLS_BAZEL_PCH_TEST_GRPC_H_

#include "tools/bazel/pch/grpc.h"
#include "tools/bazel/pch/test.h"

#endif  // SKERRY_TOOLS_BAZEL_PCH_TEST_GRPC_H_
