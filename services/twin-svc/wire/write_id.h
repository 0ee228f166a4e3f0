// What of a write's name is kept.
#ifndef SKERRY_SERVICES_TWIN_SVC_WIRE_WRITE_ID_H_
#define SKERRY_SERVICES_TWIN_SVC_WIRE_WRITE_ID_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace skerry::twin {

// The first 64 bits of its SHA-256, as they are stored: a twin has up to 32, is copied with each
// write, and names are up to 128 bytes. 0 of an empty one, and of no other.
uint64_t WriteIdOf(absl::string_view request_id);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_WIRE_WRITE_ID_H_
