// What the API says about itself: groups, resources (also aggregated), version, OpenAPI.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_DISCOVERY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_DISCOVERY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

// GET /api
Json ApiVersions();
// GET /apis
Json ApiGroupList(const std::vector<ResourcePtr>& resources);
// GET /apis/<group>; nullopt: no such group.
std::optional<Json> ApiGroup(const std::vector<ResourcePtr>& resources, absl::string_view group);
// GET /api/v1, /apis/<group>/<version>
std::optional<Json> ApiResourceList(const std::vector<ResourcePtr>& resources,
                                    absl::string_view group, absl::string_view version);
// GET /api or /apis in the aggregated form (apidiscovery.k8s.io/v2 APIGroupDiscoveryList).
Json AggregatedDiscovery(const std::vector<ResourcePtr>& resources, bool core);
// What may be done with a subresource, as discovery tells it.
bool AllowsVerb(const std::string& subresource, const std::string& verb);
// GET /version
Json VersionInfo();

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_DISCOVERY_H_
