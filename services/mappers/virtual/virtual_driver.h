// Devices that are not there: a thermometer and a switch, for trials and tests.
#ifndef SKERRY_SERVICES_MAPPERS_VIRTUAL_VIRTUAL_DRIVER_H_
#define SKERRY_SERVICES_MAPPERS_VIRTUAL_VIRTUAL_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/mappers/lib/driver.h"

namespace skerry::mapper {

// protocol.configData: `kind`, thermometer or switch, and `seed`, a whole number (1). The same seed
// gives the same values: what is read depends on nothing but the reads and writes before. A new
// connection is a device that was switched off and on.
//
// thermometer: `temperature` goes a tenth of the way to `target` with each reading, and wavers by
// up to `noise` (0.2). `target` can be written and begins at `setPoint` (20).
// switch: `on`, true or false, begins false; method `toggle` turns it over and returns it.
class VirtualDriver final : public Driver {
 public:
  absl::Status Validate(const DriverDevice& device) override;
  absl::StatusOr<std::unique_ptr<Connection>> Connect(const DriverDevice& device,
                                                      absl::Duration timeout) override;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_VIRTUAL_VIRTUAL_DRIVER_H_
