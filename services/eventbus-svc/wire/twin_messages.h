// twin-svc's messages to and from KubeEdge's shape of a twin.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_WIRE_TWIN_MESSAGES_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_WIRE_TWIN_MESSAGES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/eventbus-svc/core/twin_changes.h"
#include "services/eventbus-svc/core/twin_values.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

inline constexpr char kMqttWriter[] = "mqtt";

// "namespaces/{namespace}/devices/{device}/twin".
std::string TwinNameOf(const DeviceName& device);
// INVALID_ARGUMENT for another name.
absl::StatusOr<DeviceName> DeviceOf(absl::string_view twin_name);

// A property with neither value is not in KubeEdge's twin. The type is that of the last value that
// says one (metadata "type"); times are the values' write times.
TwinProperties PropertiesOf(const twin::v1::Twin& twin);

DeviceSummary SummaryOf(const DeviceName& device, const twin::v1::DeviceState& state);

// Everything that is asked for, with the whole twin as the answer.
twin::v1::WriteTwinRequest WriteRequestOf(const DeviceName& device, const TwinWrite& write,
                                          absl::string_view request_id);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_WIRE_TWIN_MESSAGES_H_
