// Names of writes, by which twin-svc knows a redelivery.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_WIRE_WRITE_IDS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_WIRE_WRITE_IDS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::eventbus {

// Of a request with an event id: the same for the same request that comes again, another one where
// a client gives all its requests one event id, as some do. 69 bytes. Empty without an event id.
std::string WriteIdOf(absl::string_view event_id, absl::string_view payload);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_WIRE_WRITE_IDS_H_
