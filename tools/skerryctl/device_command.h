// skerryctl device: what there is of devices beside `kubectl`.
#ifndef SKERRY_TOOLS_SKERRYCTL_DEVICE_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_DEVICE_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/devicecontroller/v1/device_service.pb.h"
#include "api/skerry/devicecontroller/v1/method_service.pb.h"
#include "tools/skerryctl/operator_channel.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

struct DeviceOptions {
  Endpoint controller = {.address = "127.0.0.1:10006", .tls = {}, .server_name = ""};
  std::string name_space = "default";
  std::string device;
  // Of `call`.
  std::string method;
  std::vector<std::string> arguments;  // "name=value".
  std::string delivery = "now";        // now, wait, queue.
  std::string deadline = "30s";
  std::string expire_in;  // Empty: as the service has it.
  std::string call_id;
  // Of `disable`.
  std::string reason;
};

// INVALID_ARGUMENT with what is wrong with the command line.
absl::StatusOr<devicecontroller::v1::CallMethodRequest> MakeCallRequest(
    const DeviceOptions& options);
// One line of how it ended, and what the device answered.
std::string RenderCall(const devicecontroller::v1::MethodCall& call, Format format);
// "… enabled" or "… disabled".
std::string RenderSwitched(const devicecontroller::v1::Device& device, Format format);

// Blocking; a call of a method waits until the device has answered, or the call is queued.
absl::StatusOr<devicecontroller::v1::MethodCall> CallMethod(const DeviceOptions& options);
absl::StatusOr<devicecontroller::v1::Device> SetDeviceEnabled(const DeviceOptions& options,
                                                              bool enabled);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DEVICE_COMMAND_H_
