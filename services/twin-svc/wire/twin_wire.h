// Twins as messages: what twin-svc's API answers, and what its store keeps of a property.
#ifndef SKERRY_SERVICES_TWIN_SVC_WIRE_TWIN_WIRE_H_
#define SKERRY_SERVICES_TWIN_SVC_WIRE_TWIN_WIRE_H_

#include <cstddef>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/device_state.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

// "namespaces/{namespace}/devices/{device}/twin".
std::string TwinNameOf(const DeviceName& device);
// INVALID_ARGUMENT names `field`, the text and the form.
absl::StatusOr<DeviceName> DeviceOf(absl::string_view field, absl::string_view twin_name);

v1::Property ToProto(const Property& property);
// INVALID_ARGUMENT where a time is none.
absl::StatusOr<Property> FromProto(const v1::Property& message);

void Fill(const Value& value, v1::Value& message);
void Fill(const Conflict& conflict, v1::Property::Conflict& message);

v1::DeviceState ToProto(const DeviceState& state);
// INVALID_ARGUMENT where a time is none.
absl::StatusOr<DeviceState> FromProto(const v1::DeviceState& message);

// Of `properties`, or of all where it is null.
v1::Twin ToProto(const DeviceName& device, const Twin& twin,
                 const std::set<std::string>* properties = nullptr);
// Of the twin as a message, roughly and rather more; with those properties alone.
size_t MessageBytesOf(const Twin& twin);
size_t MessageBytesOf(const Twin& twin, const std::set<std::string>& properties);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_WIRE_TWIN_WIRE_H_
