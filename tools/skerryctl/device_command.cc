#include "tools/skerryctl/device_command.h"

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/skerry/devicecontroller/v1/method_service.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "tools/skerryctl/controller_client.h"
#include "tools/skerryctl/printable.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

namespace v1 = devicecontroller::v1;

constexpr absl::Duration kTimeout = absl::Seconds(10);

absl::Status Usage(absl::string_view expected, absl::string_view seen) {
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = "read the arguments",
                   .expected = std::string(expected),
                   .seen = std::string(seen)});
}

std::string NameOf(const DeviceOptions& options) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(options.device, '/');
  return parts.second.empty()
             ? absl::StrCat("namespaces/", options.name_space, "/devices/", options.device)
             : absl::StrCat("namespaces/", parts.first, "/devices/", parts.second);
}

absl::StatusOr<absl::Duration> ParseTime(absl::string_view flag, const std::string& text) {
  absl::Duration time;
  if (!absl::ParseDuration(text, &time) || time <= absl::ZeroDuration()) {
    return Usage(absl::StrCat(flag, " as a time such as 30s or 10m"), text);
  }
  return time;
}

void Set(absl::Duration time, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::IDivDuration(time, absl::Seconds(1), &time));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time)));
}

}  // namespace

absl::StatusOr<v1::CallMethodRequest> MakeCallRequest(const DeviceOptions& options) {
  v1::CallMethodRequest request;
  request.set_device(NameOf(options));
  request.set_method(options.method);
  request.set_call_id(options.call_id);
  for (const std::string& argument : options.arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Usage("arguments of the method as name=value", argument);
    }
    if (!request.mutable_arguments()
             ->insert({argument.substr(0, equals), argument.substr(equals + 1)})
             .second) {
      return Usage("each argument of the method once", argument);
    }
  }
  static const auto* const kDeliveries = new std::map<std::string, v1::MethodCall::Delivery>{
      {"now", v1::MethodCall::DELIVERY_NOW},
      {"wait", v1::MethodCall::DELIVERY_WAIT},
      {"queue", v1::MethodCall::DELIVERY_QUEUE}};
  const auto delivery = kDeliveries->find(options.delivery);
  if (delivery == kDeliveries->end()) {
    return Usage("--delivery now, wait or queue", options.delivery);
  }
  request.set_delivery(delivery->second);
  SKERRY_ASSIGN_OR_RETURN(const absl::Duration deadline, ParseTime("--deadline", options.deadline));
  Set(deadline, request.mutable_deadline());
  if (!options.expire_in.empty()) {
    SKERRY_ASSIGN_OR_RETURN(const absl::Duration expire_in,
                            ParseTime("--expire-in", options.expire_in));
    Set(expire_in, request.mutable_expire_in());
  }
  return request;
}

std::string RenderCall(const v1::MethodCall& call, Format format) {
  return Render(format, JsonOf(call), [&] {
    if (call.stage() == v1::MethodCall::STAGE_DONE) {
      return absl::StrCat("status ", call.result().status(), "\n",
                          Printable(call.result().payload()),
                          call.result().payload().empty() ? "" : "\n");
    }
    std::string stage = v1::MethodCall::Stage_Name(call.stage()).substr(sizeof("STAGE_") - 1);
    if (call.has_error()) {
      absl::StrAppend(&stage, " ", Printable(call.error().reason()), ": ",
                      Printable(call.error().message()));
    }
    return absl::StrCat(Printable(call.name()), ": ", stage, "\n");
  });
}

std::string RenderSwitched(const v1::Device& device, Format format) {
  return Render(format, JsonOf(device), [&] {
    return absl::StrCat(Printable(device.name()), device.enabled() ? " enabled\n" : " disabled\n");
  });
}

absl::StatusOr<v1::MethodCall> CallMethod(const DeviceOptions& options) {
  SKERRY_ASSIGN_OR_RETURN(const v1::CallMethodRequest request, MakeCallRequest(options));
  SKERRY_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                          ConnectAsOperator(options.controller));
  absl::Duration patience =
      kTimeout + absl::Seconds(request.deadline().seconds()) +
      absl::Seconds(request.delivery() == v1::MethodCall::DELIVERY_WAIT
                        ? request.has_expire_in() ? request.expire_in().seconds() : 60
                        : 0);
  const auto stub = v1::MethodService::NewStub(channel);
  v1::MethodCall call;
  SKERRY_RETURN_IF_ERROR(ExplainController(rpc::CallUnary(patience,
                                                          [&](grpc::ClientContext* context) {
                                                            return stub->CallMethod(context,
                                                                                    request, &call);
                                                          }),
                                           options.controller));
  return call;
}

absl::StatusOr<v1::Device> SetDeviceEnabled(const DeviceOptions& options, bool enabled) {
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<ControllerClient> controller,
                          ControllerClient::Connect(options.controller));
  return controller->SetEnabled(NameOf(options), enabled, options.reason);
}

}  // namespace skerry::skerryctl
