#include "tools/skerryctl/controller_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"

namespace skerry::skerryctl {
namespace {

namespace v1 = devicecontroller::v1;

constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr int kPageSize = 500;

}  // namespace

absl::Status ExplainController(const absl::Status& status, const Endpoint& controller) {
  return ExplainCall(status, "device-controller-svc", controller);
}

ControllerClient::ControllerClient(Endpoint controller,
                                   const std::shared_ptr<grpc::Channel>& channel)
    : controller_(std::move(controller)),
      devices_(v1::DeviceService::NewStub(channel)),
      twins_(v1::DeviceTwinService::NewStub(channel)) {}

absl::StatusOr<std::unique_ptr<ControllerClient>> ControllerClient::Connect(
    const Endpoint& controller) {
  SKERRY_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                          ConnectAsOperator(controller));
  return std::unique_ptr<ControllerClient>(new ControllerClient(controller, channel));
}

absl::Status ControllerClient::Explain(const absl::Status& status) const {
  return ExplainController(status, controller_);
}

absl::StatusOr<std::vector<v1::Device>> ControllerClient::ListDevices(const std::string& name_space,
                                                                      const std::string& node) {
  v1::ListDevicesRequest request;
  request.set_parent(absl::StrCat("namespaces/", name_space.empty() ? "-" : name_space));
  request.set_node(node);
  request.set_page_size(kPageSize);
  std::vector<v1::Device> out;
  do {
    v1::ListDevicesResponse page;
    SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
      return devices_->ListDevices(context, request, &page);
    })));
    out.insert(out.end(), page.devices().begin(), page.devices().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return out;
}

absl::StatusOr<v1::Device> ControllerClient::GetDevice(const std::string& name) {
  v1::GetDeviceRequest request;
  request.set_name(name);
  v1::Device device;
  SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return devices_->GetDevice(context, request, &device);
  })));
  return device;
}

absl::StatusOr<v1::DeviceTwin> ControllerClient::GetTwin(const std::string& device) {
  v1::GetDeviceTwinRequest request;
  request.set_name(device + "/twin");
  v1::DeviceTwin twin;
  SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return twins_->GetDeviceTwin(context, request, &twin);
  })));
  return twin;
}

absl::StatusOr<v1::Device> ControllerClient::SetEnabled(const std::string& name, bool enabled,
                                                        const std::string& reason) {
  v1::Device device;
  SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    if (enabled) {
      v1::EnableDeviceRequest request;
      request.set_name(name);
      return devices_->EnableDevice(context, request, &device);
    }
    v1::DisableDeviceRequest request;
    request.set_name(name);
    request.set_reason(reason);
    return devices_->DisableDevice(context, request, &device);
  })));
  return device;
}

}  // namespace skerry::skerryctl
