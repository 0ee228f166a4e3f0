// configData of devices and properties, as the manifest has it, turned into what is pure.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_SETTINGS_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_SETTINGS_H_

#include "absl/status/statusor.h"
#include "services/mappers/lib/config_data.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/modbus/core/endpoint.h"
#include "services/mappers/modbus/core/point.h"

namespace skerry::mapper::modbus {

// Of both, INVALID_ARGUMENT names the setting, its value and what it may be. What they do not know
// is passed over, as KubeEdge's mappers do.
absl::StatusOr<Endpoint> EndpointOf(const ConfigData& protocol);
absl::StatusOr<Point> PointOf(const DriverProperty& property);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_SETTINGS_H_
