// What was reported of a device, as it goes to the cloud.
#ifndef SKERRY_SERVICES_TWIN_SVC_WIRE_READING_WIRE_H_
#define SKERRY_SERVICES_TWIN_SVC_WIRE_READING_WIRE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

// Of one message, but for one value more: an event of the link has at most 256 KiB.
inline constexpr size_t kReadingsBytesMax = 200u << 10;

// The time that its writer gave in metadata "timestamp", in milliseconds, as KubeEdge's mappers
// and MQTT clients do; else when it was written.
absl::Time TimeOfReading(const Value& value);

// The reported values of a write as serialized v1::Readings, in order: one, or several where that
// would be too large. Of a device that has `uid`.
std::vector<std::string> ReadingsOf(absl::string_view uid, const Write& write);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_WIRE_READING_WIRE_H_
