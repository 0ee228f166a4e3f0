// OpenAPI documents: v3 per group version, v2 whole.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/resource_registry.h"

namespace skerry::kubeapi {

// GET /openapi/v3: the list of documents with hashes, so that clients may cache them.
Json OpenApiV3Index(const ResourceRegistry& registry);
// GET /openapi/v3/api/v1, /openapi/v3/apis/<group>/<version>; nullopt: not served.
std::optional<Json> OpenApiV3Document(const ResourceRegistry& registry, absl::string_view group,
                                      absl::string_view version);
// GET /openapi/v2 as JSON.
Json OpenApiV2Document(const ResourceRegistry& registry);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_OPENAPI_H_
