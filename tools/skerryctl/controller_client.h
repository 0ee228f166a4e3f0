// device-controller-svc's DeviceService and DeviceTwinService, for the commands of operators.
#ifndef SKERRY_TOOLS_SKERRYCTL_CONTROLLER_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_CONTROLLER_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "tools/skerryctl/operator_channel.h"

namespace skerry::skerryctl {

// Blocking calls with a deadline of 10 s each. Used by one thread. Errors are StepErrors.
class ControllerClient {
 public:
  static absl::StatusOr<std::unique_ptr<ControllerClient>> Connect(const Endpoint& controller);

  // All pages. An empty namespace, or node: all.
  absl::StatusOr<std::vector<devicecontroller::v1::Device>> ListDevices(
      const std::string& name_space, const std::string& node);
  absl::StatusOr<devicecontroller::v1::Device> GetDevice(const std::string& name);
  // "namespaces/{namespace}/devices/{device}": its twin.
  absl::StatusOr<devicecontroller::v1::DeviceTwin> GetTwin(const std::string& device);
  absl::StatusOr<devicecontroller::v1::Device> SetEnabled(const std::string& name, bool enabled,
                                                          const std::string& reason);

 private:
  ControllerClient(Endpoint controller, const std::shared_ptr<grpc::Channel>& channel);
  absl::Status Explain(const absl::Status& status) const;

  const Endpoint controller_;
  const std::unique_ptr<devicecontroller::v1::DeviceService::Stub> devices_;
  const std::unique_ptr<devicecontroller::v1::DeviceTwinService::Stub> twins_;
};

// What a call to device-controller-svc at `controller` ended with, as a StepError.
absl::Status ExplainController(const absl::Status& status, const Endpoint& controller);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_CONTROLLER_CLIENT_H_
