#include "services/twin-svc/wire/declaration.h"

namespace skerry::twin {

Declaration DeclarationOf(const device::DeviceSpec& device, absl::Time now) {
  Declaration out{.uid = device.uid, .generation = device.generation};
  for (const device::PropertySpec& property : device.properties) {
    Declared& declared = out.properties[property.name];
    if (!property.desired.has_value()) continue;
    declared.desired = Value{.value = property.desired->value,
                             .metadata = property.desired->metadata,
                             .writer = kCloudWriter,
                             .time = now};
  }
  return out;
}

}  // namespace skerry::twin
