// Calls of devices' methods.
#ifndef SKERRY_SERVICES_LIB_DEVICE_METHOD_CALL_H_
#define SKERRY_SERVICES_LIB_DEVICE_METHOD_CALL_H_

#include "absl/status/statusor.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/model/names.h"

namespace skerry::device {

// The device of a call that keeps its bounds; INVALID_ARGUMENT names the field. Pure.
absl::StatusOr<DeviceName> CheckCall(const twin::v1::MethodCall& call);

}  // namespace skerry::device

#endif  // SKERRY_SERVICES_LIB_DEVICE_METHOD_CALL_H_
