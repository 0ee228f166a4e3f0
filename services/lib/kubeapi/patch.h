// The patches of the Kubernetes API: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge
// patch.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_PATCH_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_PATCH_H_

#include "absl/status/statusor.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/schema.h"

namespace skerry::kubeapi {

inline constexpr size_t kPatchOperationsMax = 10000;
// What all "copy" operations of one JSON patch may copy together.
inline constexpr size_t kPatchCopyBytesMax = 3u << 20;

// Each returns the patched object; errors are those of the API (400, 422).
absl::StatusOr<Json> ApplyJsonPatch(const Json& object, const Json& patch);
absl::StatusOr<Json> ApplyMergePatch(const Json& object, const Json& patch);
// Lists with a merge key (see Schema) merge by it; honours $patch, $retainKeys, $setElementOrder/…
// and $deleteFromPrimitiveList/….
absl::StatusOr<Json> ApplyStrategicMergePatch(const Schema& schema, const Json& object,
                                              const Json& patch);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_PATCH_H_
