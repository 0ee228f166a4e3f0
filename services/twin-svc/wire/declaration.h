// What a Device declares, as its twin takes it.
#ifndef SKERRY_SERVICES_TWIN_SVC_WIRE_DECLARATION_H_
#define SKERRY_SERVICES_TWIN_SVC_WIRE_DECLARATION_H_

#include "absl/time/time.h"
#include "services/lib/device/device_spec.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

// The writer of every value that a Device declares. Nobody on the box writes under this name.
inline constexpr char kCloudWriter[] = "cloud";

// Pure. `now` is when the box learned of it; Declare compares values without their times. `device`
// comes from an API server: what has neither uid nor generation declares nothing to a new twin.
Declaration DeclarationOf(const device::DeviceSpec& device, absl::Time now);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_WIRE_DECLARATION_H_
