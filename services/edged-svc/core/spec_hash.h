// Tells whether a container that runs is the one that its spec asks for.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_SPEC_HASH_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_SPEC_HASH_H_

#include <string>

#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// Of the name and the image, as the kubelet's since 1.31: of a container's fields only the image
// may change under an unchanged pod uid, and a hash of more fields would restart every container of
// a fleet when an API server's defaults grow. The function is part of what is stored with
// containers: never change it.
std::string SpecHash(const ContainerSpec& container);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_SPEC_HASH_H_
