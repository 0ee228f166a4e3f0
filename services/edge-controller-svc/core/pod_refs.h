// What a pod needs beside itself.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_REFS_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_REFS_H_

#include <nlohmann/json_fwd.hpp>
#include <set>

#include "services/edge-controller-svc/core/object_ref.h"

namespace skerry::edgecontroller {

// The ConfigMaps, Secrets and the ServiceAccount that the pod names: environment (valueFrom,
// envFrom), volumes (configMap, secret, projected, and secrets of storage drivers),
// imagePullSecrets, serviceAccountName. All of the pod's namespace. Malformed parts name nothing.
std::set<ObjectRef> RefsOfPod(const nlohmann::json& pod);

// The imagePullSecrets of a ServiceAccount.
std::set<ObjectRef> RefsOfServiceAccount(const nlohmann::json& service_account);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_POD_REFS_H_
