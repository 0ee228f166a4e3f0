// Times as protobuf's Timestamp.
#ifndef SKERRY_SERVICES_LIB_RPC_PROTO_TIME_H_
#define SKERRY_SERVICES_LIB_RPC_PROTO_TIME_H_

#include <google/protobuf/timestamp.pb.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::rpc {

// To the nanosecond, downwards. What is before the year 1 or after 9999, which Timestamp cannot
// hold, becomes the nearest that it can.
google::protobuf::Timestamp ToProto(absl::Time time);

// INVALID_ARGUMENT names what is out of Timestamp's range.
absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& message);

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_PROTO_TIME_H_
