// From a request's body to an object of a kind: unknown members, types, apiVersion and kind.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_DECODE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_DECODE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

enum class FieldValidation { kIgnore, kWarn, kStrict };

// "", "Ignore", "Warn", "Strict".
absl::StatusOr<FieldValidation> ParseFieldValidation(absl::string_view text);

// `meta`: the schema of ObjectMeta, for custom resources. Warnings are texts for Warning headers.
// 400 on a body that is no object of this kind, and (kStrict) on unknown members.
absl::StatusOr<Json> DecodeObject(const Resource& resource, const Schema& meta, Json body,
                                  FieldValidation validation, std::vector<std::string>& warnings);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_DECODE_H_
