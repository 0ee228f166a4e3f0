#include "services/mappers/lib/method_service.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/device/method_call.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/unary.h"

namespace skerry::mapper {
namespace {

constexpr size_t kPayloadBytesMax = 128u << 10;
constexpr int kDone = 200;
// Of the caller's patience, for the answer's way back.
constexpr absl::Duration kMargin = absl::Milliseconds(50);

Error As(absl::StatusCode code, absl::string_view reason, absl::string_view message,
         const std::string& method) {
  return Error(code, message).Reason(reason).Meta("method", method);
}

}  // namespace

absl::StatusOr<twin::v1::MethodResult> ResultOf(const std::string& method,
                                                absl::StatusOr<std::string> answer) {
  if (answer.ok()) {
    if (answer->size() > kPayloadBytesMax) {
      return As(absl::StatusCode::kResourceExhausted, "RESULT_TOO_LARGE",
                absl::StrCat("the device did it, but its answer has ", answer->size(),
                             " bytes, more than ", kPayloadBytesMax),
                method);
    }
    twin::v1::MethodResult result;
    result.set_status(kDone);
    result.set_payload(*std::move(answer));
    return result;
  }
  const absl::Status& error = answer.status();
  if (!GetErrorInfo(error).reason.empty()) return error;
  switch (error.code()) {
    case absl::StatusCode::kUnimplemented:
      return As(absl::StatusCode::kNotFound, "METHOD_UNKNOWN", error.message(), method);
    case absl::StatusCode::kUnavailable:
      return As(error.code(), "DEVICE_OFFLINE", error.message(), method);
    case absl::StatusCode::kDeadlineExceeded:
      return As(error.code(), "DEVICE_TIMEOUT", error.message(), method);
    default:
      return As(error.code(), "METHOD_FAILED", error.message(), method);
  }
}

grpc::ServerUnaryReactor* MethodServiceImpl::CallMethod(grpc::CallbackServerContext* context,
                                                        const twin::v1::MethodCall* request,
                                                        twin::v1::MethodResult* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope& scope, auto finish) {
    const absl::StatusOr<DeviceName> device = device::CheckCall(*request);
    if (!device.ok()) return finish(device.status());
    mapper_.Call(
        *device, request->method(), {request->arguments().begin(), request->arguments().end()},
        scope.deadline - absl::Now() - kMargin,
        [method = request->method(), response,
         finish = std::move(finish)](absl::StatusOr<std::string> answer) mutable {
          absl::StatusOr<twin::v1::MethodResult> result = ResultOf(method, std::move(answer));
          if (result.ok()) *response = *std::move(result);
          finish(result.status());
        });
  });
}

}  // namespace skerry::mapper
