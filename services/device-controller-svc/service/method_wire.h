// Calls of methods as commands to nodes.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_WIRE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_WIRE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/command_service.pb.h"
#include "api/skerry/devicecontroller/v1/method_service.pb.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// Any thread may call these.

// What the keys of a device's calls begin with, among those of its node: "namespace/name/", or
// where that is long
// "#{hash}/". With any call id a key has at most 128 bytes.
std::string KeyPrefix(const DeviceName& device);

struct MethodSend {
  DeviceName device;
  std::string call_id;
  cloudhub::v1::SendCommandRequest request;  // But for its node.
  absl::Duration wait;                       // See CallMethodRequest.
};
// `left`: of the caller's deadline; infinite where it has none. `new_id`: for a call that has none.
// INVALID_ARGUMENT names the field, the value and the fix.
absl::StatusOr<MethodSend> SendFrom(const v1::CallMethodRequest& request, absl::Duration left,
                                    const std::string& new_id);

// How long the sender waits for the answer of a call.
absl::Duration PatienceOf(const MethodSend& send, absl::Duration left);

// `command` is of `device`. With its result or why it has none.
v1::MethodCall ToProto(const DeviceName& device, const cloudhub::v1::Command& command);
// Why a command that ended has no result; OK where it has one, or has not ended.
absl::Status ErrorOf(const cloudhub::v1::Command& command);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_METHOD_WIRE_H_
