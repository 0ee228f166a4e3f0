#include "services/lib/rpc/grpc_status.h"

#include <string>
#include <utility>

#include "api/google/rpc/error_details.pb.h"
#include "services/lib/base/error.h"

namespace skerry::rpc {
namespace {

// Status codes have the same numbers on both sides; those beyond are a peer's invention.
int KnownCode(int code) {
  return code >= 0 && code <= 16 ? code : static_cast<int>(absl::StatusCode::kUnknown);
}

}  // namespace

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(std::string(status.message()));
  ErrorInfo info = GetErrorInfo(status);
  if (info.reason.empty() && info.metadata.empty()) return proto;
  google::rpc::ErrorInfo detail;
  detail.set_reason(info.reason);
  detail.set_domain(kErrorDomain);
  for (const auto& [key, value] : info.metadata) (*detail.mutable_metadata())[key] = value;
  proto.add_details()->PackFrom(detail);
  return proto;
}

absl::Status FromProto(const google::rpc::Status& proto) {
  if (proto.code() == 0) return absl::OkStatus();
  absl::Status status(static_cast<absl::StatusCode>(KnownCode(proto.code())), proto.message());
  for (const google::protobuf::Any& any : proto.details()) {
    google::rpc::ErrorInfo detail;
    if (!any.Is<google::rpc::ErrorInfo>() || !any.UnpackTo(&detail)) continue;
    ErrorInfo info;
    info.reason = detail.reason();
    for (const auto& [key, value] : detail.metadata()) info.metadata[key] = value;
    SetErrorInfo(status, info);
    break;
  }
  return status;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status proto = ToProto(status);
  auto code = static_cast<grpc::StatusCode>(proto.code());
  if (proto.details().empty()) return grpc::Status(code, proto.message());
  return grpc::Status(code, proto.message(), proto.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status proto;
  // Details are a peer's bytes: what does not parse is left out, the status itself stands.
  if (status.error_details().empty() || !proto.ParseFromString(status.error_details()))
    proto.Clear();
  proto.set_code(static_cast<int>(status.error_code()));
  proto.set_message(status.error_message());
  return FromProto(proto);
}

}  // namespace skerry::rpc
