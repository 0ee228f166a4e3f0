#include "services/device-controller-svc/service/method_wire.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/security/x509.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using v1::MethodCall;

constexpr char kType[] = "devicemethods";
constexpr size_t kDeviceBytesMax = 63;  // With '/' and a call id: 128.
constexpr size_t kMethodBytesMax = 128;
constexpr int kArgumentsMax = 64;
constexpr size_t kArgumentBytesMax = 64u << 10;
constexpr absl::Duration kDeadlineDefault = absl::Seconds(30);
constexpr absl::Duration kDeadlineMax = absl::Hours(24);
constexpr absl::Duration kExpiryMax = absl::Hours(24 * 30);
constexpr absl::Duration kWaitDefault = absl::Minutes(1);
constexpr absl::Duration kQueuedMax = absl::Minutes(5);
constexpr absl::Duration kShortest = absl::Milliseconds(1);
// What the way to the box and back takes of the caller's time.
constexpr absl::Duration kWay = absl::Milliseconds(200);
// What it may take longer than all bounds, before its outcome is called unknown.
constexpr absl::Duration kGrace = absl::Seconds(10);

absl::Status CheckArguments(const google::protobuf::Map<std::string, std::string>& arguments) {
  size_t bytes = 0;
  for (const auto& [name, value] : arguments) bytes += name.size() + value.size();
  if (arguments.size() <= kArgumentsMax && bytes <= kArgumentBytesMax) return absl::OkStatus();
  return InvalidField(
      "arguments", absl::StrCat(arguments.size(), " of ", bytes, " bytes"),
      absl::StrCat("give at most ", kArgumentsMax, ", of ", kArgumentBytesMax, " bytes in all"));
}

absl::StatusOr<Command::Delivery> DeliveryOf(MethodCall::Delivery delivery) {
  switch (delivery) {
    case MethodCall::DELIVERY_UNSPECIFIED:
    case MethodCall::DELIVERY_NOW:
      return Command::DELIVERY_NOW;
    case MethodCall::DELIVERY_WAIT:
      return Command::DELIVERY_WAIT;
    case MethodCall::DELIVERY_QUEUE:
      return Command::DELIVERY_QUEUE;
    default:
      return InvalidField("delivery", absl::StrCat(static_cast<int>(delivery)),
                          "give DELIVERY_NOW, DELIVERY_WAIT or DELIVERY_QUEUE");
  }
}

MethodCall::Delivery DeliveryOf(Command::Delivery delivery) {
  switch (delivery) {
    case Command::DELIVERY_WAIT:
      return MethodCall::DELIVERY_WAIT;
    case Command::DELIVERY_QUEUE:
      return MethodCall::DELIVERY_QUEUE;
    default:
      return MethodCall::DELIVERY_NOW;
  }
}

MethodCall::Stage StageOf(const Command& command) {
  switch (command.stage()) {
    case Command::STAGE_ACCEPTED:
      return MethodCall::STAGE_WAITING;
    case Command::STAGE_SENT:
    case Command::STAGE_DELIVERED:
      return MethodCall::STAGE_SENT;
    case Command::STAGE_STARTED:
      return MethodCall::STAGE_STARTED;
    case Command::STAGE_DONE:
      return ErrorOf(command).ok() ? MethodCall::STAGE_DONE : MethodCall::STAGE_FAILED;
    case Command::STAGE_EXPIRED:
      return MethodCall::STAGE_EXPIRED;
    case Command::STAGE_CANCELLED:
      return MethodCall::STAGE_CANCELLED;
    default:
      return MethodCall::STAGE_UNSPECIFIED;
  }
}

// The same call has the same bytes, so that a key that comes again is seen to be of the same.
std::string Serialized(const twin::v1::MethodCall& call) {
  std::string bytes;
  google::protobuf::io::StringOutputStream out(&bytes);
  google::protobuf::io::CodedOutputStream coded(&out);
  coded.SetSerializationDeterministic(true);
  call.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::Status SetTimes(const v1::CallMethodRequest& request, absl::Duration left, MethodSend& send) {
  const Command::Delivery delivery = send.request.delivery();
  absl::Duration deadline = kDeadlineDefault;
  if (request.has_deadline()) {
    SKERRY_ASSIGN_OR_RETURN(deadline,
                            DurationOf("deadline", request.deadline(), kShortest, kDeadlineMax));
  } else if (delivery == Command::DELIVERY_NOW) {
    deadline = std::clamp(left - kWay, kShortest, kDeadlineDefault);
  }
  SetDuration(deadline, *send.request.mutable_deadline());
  if (request.has_expire_in()) {
    if (delivery == Command::DELIVERY_NOW)
      return InvalidField("expire_in", "given", "give it with WAIT or QUEUE only");
    SKERRY_ASSIGN_OR_RETURN(const absl::Duration expire_in,
                            DurationOf("expire_in", request.expire_in(), kShortest, kExpiryMax));
    SetDuration(expire_in, *send.request.mutable_expire_in());
  } else if (delivery == Command::DELIVERY_WAIT) {
    SetDuration(kWaitDefault, *send.request.mutable_expire_in());
  }
  if (request.has_wait()) {
    if (delivery != Command::DELIVERY_QUEUE)
      return InvalidField("wait", "given", "give it with QUEUE only");
    SKERRY_ASSIGN_OR_RETURN(send.wait,
                            DurationOf("wait", request.wait(), absl::ZeroDuration(), kQueuedMax));
  }
  return absl::OkStatus();
}

}  // namespace

std::string KeyPrefix(const DeviceName& device) {
  if (device.value().size() <= kDeviceBytesMax) return absl::StrCat(device.value(), "/");
  return absl::StrCat("#", security::Sha256Hex(device.value()).substr(0, 32), "/");
}

absl::StatusOr<MethodSend> SendFrom(const v1::CallMethodRequest& request, absl::Duration left,
                                    const std::string& new_id) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseDeviceResource("device", request.device()));
  if (request.method().empty() || request.method().size() > kMethodBytesMax) {
    return InvalidField("method", device::ShownValue(request.method()),
                        absl::StrCat("give a name of 1 to ", kMethodBytesMax, " bytes"));
  }
  SKERRY_RETURN_IF_ERROR(CheckArguments(request.arguments()));
  if (!request.call_id().empty()) SKERRY_RETURN_IF_ERROR(CheckCallId("call_id", request.call_id()));
  MethodSend send{.device = device,
                  .call_id = request.call_id().empty() ? new_id : request.call_id()};
  SKERRY_ASSIGN_OR_RETURN(const Command::Delivery delivery, DeliveryOf(request.delivery()));
  send.request.set_delivery(delivery);
  SKERRY_RETURN_IF_ERROR(SetTimes(request, left, send));
  twin::v1::MethodCall call;
  call.set_device(device.value());
  call.set_method(request.method());
  *call.mutable_arguments() = request.arguments();
  call.set_request_id(send.call_id);
  send.request.set_type(kType);
  send.request.set_key(absl::StrCat(KeyPrefix(device), send.call_id));
  send.request.set_payload(Serialized(call));
  send.request.set_reexecutable(request.reexecutable());
  return send;
}

absl::Duration PatienceOf(const MethodSend& send, absl::Duration left) {
  const auto seconds = [](const google::protobuf::Duration& duration) {
    return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
  };
  absl::Duration longest = kGrace;
  if (send.request.delivery() == Command::DELIVERY_QUEUE) {
    longest += send.wait;
  } else {
    longest += seconds(send.request.deadline()) + seconds(send.request.expire_in());
  }
  return std::min(longest, std::max(left - kWay / 4, kShortest));
}

absl::Status ErrorOf(const Command& command) {
  absl::Status status = rpc::FromProto(command.status());
  switch (command.stage()) {
    case Command::STAGE_DONE:
      if (status.ok() && !twin::v1::MethodResult().ParseFromString(command.response())) {
        return Error(absl::StatusCode::kInternal, "the node's answer is no result of a method")
            .Reason("METHOD_RESULT_INVALID");
      }
      return status;
    case Command::STAGE_EXPIRED:
      if (!status.ok()) return status;
      return Error(absl::StatusCode::kDeadlineExceeded, "it was not executed in time")
          .Reason("COMMAND_EXPIRED");
    case Command::STAGE_CANCELLED:
      return Error(absl::StatusCode::kCancelled, "it was cancelled before it was executed")
          .Reason("METHOD_CANCELLED");
    default:
      return absl::OkStatus();
  }
}

MethodCall ToProto(const DeviceName& device, const Command& command) {
  MethodCall call;
  absl::string_view rest = command.name();
  if (absl::ConsumePrefix(&rest, "nodes/")) {
    const size_t end = std::min(rest.find('/'), rest.size());
    call.set_node(std::string(rest.substr(0, end)));
    rest.remove_prefix(end);
  }
  absl::ConsumePrefix(&rest, "/commands/");
  absl::ConsumePrefix(&rest, KeyPrefix(device));
  call.set_name(MethodCallResource(device, rest));
  call.set_delivery(DeliveryOf(command.delivery()));
  call.set_stage(StageOf(command));
  *call.mutable_deadline() = command.deadline();
  *call.mutable_create_time() = command.create_time();
  *call.mutable_expire_time() = command.expire_time();
  if (const absl::Status error = ErrorOf(command); !error.ok()) {
    call.mutable_error()->set_code(static_cast<int>(error.code()));
    call.mutable_error()->set_message(std::string(error.message()));
    call.mutable_error()->set_reason(GetErrorInfo(error).reason);
  } else if (command.stage() == Command::STAGE_DONE) {
    twin::v1::MethodResult result;
    result.ParseFromString(command.response());
    call.mutable_result()->set_status(result.status());
    call.mutable_result()->set_payload(std::move(*result.mutable_payload()));
  }
  return call;
}

}  // namespace skerry::devicecontroller
