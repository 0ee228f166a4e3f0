// The built-in kinds: core/v1 Namespace, Node, Pod, ConfigMap, Secret, ServiceAccount, Event;
// Lease; CustomResourceDefinition; SelfSubjectAccessReview, SelfSubjectReview and TokenReview.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_BUILT_IN_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_BUILT_IN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/lib/kubeapi/resource_registry.h"

namespace skerry::kubeapi {

// INTERNAL if the type declarations do not parse (a mistake in this library).
absl::StatusOr<std::unique_ptr<ResourceRegistry>> MakeBuiltInRegistry();

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_BUILT_IN_H_
