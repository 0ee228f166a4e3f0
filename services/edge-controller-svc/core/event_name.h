// Names of Kubernetes Events that are the same whoever writes them, and however often.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_EVENT_NAME_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_EVENT_NAME_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::edgecontroller {

// "<object>.<hash of identity>": replicas and restarts meet in one Event.
std::string EventName(absl::string_view object_name, absl::string_view identity);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_EVENT_NAME_H_
