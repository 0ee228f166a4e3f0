// What a new cluster has: its namespaces, and the site's manifests.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_BOOTSTRAP_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_BOOTSTRAP_H_

#include <vector>

#include "absl/status/status.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/resource_registry.h"

namespace skerry::standaloneapi {

// default, kube-system, kube-public, kube-node-lease; those that are there stay as they are.
absl::Status EnsureNamespaces(kubeapi::LocalClient& client);

// Creates each manifest, or merges it into the object that is there. Stops at the first that is
// refused, and names it.
absl::Status ApplyManifests(kubeapi::LocalClient& client, const kubeapi::ResourceRegistry& registry,
                            const std::vector<kubeapi::Json>& manifests);

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_BOOTSTRAP_H_
