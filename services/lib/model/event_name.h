// Names of Kubernetes Events that are the same whoever writes them, and however often.
#ifndef SKERRY_SERVICES_LIB_MODEL_EVENT_NAME_H_
#define SKERRY_SERVICES_LIB_MODEL_EVENT_NAME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry {

// "<object>.<hash of identity>": replicas and restarts meet in one Event.
std::string EventName(absl::string_view object_name, absl::string_view identity);
// As that, and the names of one object's Events sort by `first`, as a kubelet's do: kubectl leaves
// those of one second in the order of their names.
std::string EventName(absl::string_view object_name, absl::Time first, absl::string_view identity);

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_MODEL_EVENT_NAME_H_
