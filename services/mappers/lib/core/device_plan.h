// What a mapper is to do for one device, as decisions need it: no protocol, no messages.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_PLAN_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_PLAN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace skerry::mapper {

struct PropertyPlan {
  std::string name;
  std::optional<std::string> desired;  // To be written; checked against the device's model.
  absl::Duration collect_cycle = absl::Seconds(1);  // Between two readings.
  absl::Duration report_cycle = absl::Seconds(1);   // At the latest, where there is a new reading.
  bool report = false;
  bool report_on_change = false;
  double dead_band = 0;  // A number that moved by no more than this has not changed.

  bool operator==(const PropertyPlan&) const = default;
};

struct DevicePlan {
  std::vector<PropertyPlan> properties;
  bool report_state = false;
  // Between two reports of the state, and of silence after which the device is asked whether it is
  // still there.
  absl::Duration state_cycle = absl::Minutes(1);
  absl::Duration operation_timeout = absl::Seconds(5);  // What a driver may take.

  bool operator==(const DevicePlan&) const = default;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_PLAN_H_
