// Errors of libmodbus and of the system below it, as ours.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_ERRORS_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/mappers/modbus/core/line_policy.h"

namespace skerry::mapper::modbus {

// `error` is an errno, one of libmodbus's included; 0 is none.
Fault FaultOf(int error);

// UNAVAILABLE and DEADLINE_EXCEEDED where the device does not answer; others are its own answers,
// with a reason MODBUS_…. `place` is where the property is, for the message.
absl::Status StatusOf(int error, absl::string_view property, absl::string_view place);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_ERRORS_H_
