// From the JSON of a container of a Pod to ContainerSpec. For .cc files: it includes nlohmann/json.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_CONTAINER_PARSER_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_CONTAINER_PARSER_H_

#include "services/edged-svc/core/json_reader.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// Errors go to the reader's status. `pod` is the pod's own security context, which the container
// inherits.
ContainerSpec ParseContainer(const JsonReader& json, const SecurityContext& pod);
SecurityContext ParseSecurityContext(const JsonReader& json, const SecurityContext& inherited);

// nullopt where the text is absent; an error where it is no quantity.
__int128 ParseQuantityField(const JsonReader& json, const char* name);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_CONTAINER_PARSER_H_
