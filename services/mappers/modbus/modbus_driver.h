// Devices that speak Modbus, over TCP or on a serial line (RTU).
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_DRIVER_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/modbus/bus_table.h"

namespace skerry::mapper {

// configData of devices and properties: services/mappers/modbus/README.md. Connect does not touch
// the device: its bus is opened by the first request, so what cannot be opened is an error of
// Check. There are no methods: whatever Modbus can do is a property. `clock` outlives it.
class ModbusDriver final : public Driver {
 public:
  explicit ModbusDriver(Clock& clock) : buses_(clock) {}

  absl::Status Validate(const DriverDevice& device) override;
  // UNAVAILABLE where there is no such serial port; FAILED_PRECONDITION / BUS_SETTINGS.
  absl::StatusOr<std::unique_ptr<Connection>> Connect(const DriverDevice& device,
                                                      absl::Duration timeout) override;

 private:
  modbus::BusTable buses_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_MODBUS_DRIVER_H_
