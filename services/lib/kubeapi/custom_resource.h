// CustomResourceDefinitions: their own rules, and the kinds that they declare.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_CUSTOM_RESOURCE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_CUSTOM_RESOURCE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

// How the store calls definitions.
extern const char kDefinitionsStorage[];
// Every definition carries it until the objects of its kinds are gone.
extern const char kCleanupFinalizer[];

// The kind CustomResourceDefinition itself (without schema and printer).
Resource CustomResourceDefinitions();

// The kinds that a stored definition declares: one per served version, by the priority of versions
// (v1 before v1beta1). INVALID_ARGUMENT where a schema is not usable.
absl::StatusOr<std::vector<ResourcePtr>> MakeCustomResources(const Json& definition);

// Negative, 0, positive as version `a` has a higher, the same or a lower priority than `b` ("v2" >
// "v1" > "v1beta2" > …).
int CompareVersions(absl::string_view a, absl::string_view b);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_CUSTOM_RESOURCE_H_
