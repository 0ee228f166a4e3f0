// The forms in which objects are answered: themselves, server-side tables, metadata only.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_TABLE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_TABLE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

// includeObject of a table request: what of the object each row carries.
enum class IncludeObject { kNone, kMetadata, kObject };
// "", "None", "Metadata", "Object".
absl::StatusOr<IncludeObject> ParseIncludeObject(absl::string_view text);

// metadata.resourceVersion and continue are the caller's to set. `columns`: with column definitions
// (a watch sends them in its first event only).
Json MakeTable(const Resource& resource, const std::vector<Json>& objects, IncludeObject include,
               absl::Time now, bool columns);

// A meta.k8s.io/v1 PartialObjectMetadata.
Json MakePartial(const Json& object);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_TABLE_H_
