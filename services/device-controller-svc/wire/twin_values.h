// What boxes tell of twins over the link (skerry.twin.v1), as values.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_WIRE_TWIN_VALUES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_WIRE_TWIN_VALUES_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/core/device_status.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// A report of the type "twins".
struct ReportedTwin {
  DeviceName device;
  std::string uid;
  std::vector<ReportedValue> values;  // By property; without their order.
  // Of the properties that the Device declares.
  DeviceStatusValue status;
};

// Type of each property of a device's model, as metadata of KubeEdge's DeviceStatus has it ("int").
using PropertyTypes = std::map<std::string, std::string>;

// An event of the stream "readings".
struct ReportedReadings {
  struct Value {
    std::string property;
    std::string value;
    absl::Time time;
  };
  DeviceName device;
  std::string uid;
  std::vector<Value> values;  // In order.
};

// These compute on values only; any thread may call them. `key` is the report's or event's.
// INVALID_ARGUMENT / REPORT_MALFORMED or EVENT_MALFORMED names the field: bytes that are no such
// message, another device than the key's, no uid, a time that is none, more than the stores take at
// once.
absl::StatusOr<ReportedTwin> ReadTwinReport(absl::string_view key, const std::string& bytes);
absl::StatusOr<ReportedReadings> ReadReadings(absl::string_view key, const std::string& bytes);

// Adds to the metadata of each value its "type", where its writer named none.
void AddTypes(const PropertyTypes& types, DeviceStatusValue& status);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_WIRE_TWIN_VALUES_H_
