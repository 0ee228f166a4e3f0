// From the JSON of a Kubernetes Pod to PodSpec.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_PARSER_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_PARSER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// INVALID_ARGUMENT names the field that can't be run as asked: malformed, of the wrong type, a path
// that leaves its folder, or a feature that this version refuses. Defaults are filled in as the API
// server does, in case it did not.
absl::StatusOr<PodSpec> ParsePod(absl::string_view json);

// Only who it is, for a pod that ParsePod refuses: namespace, name, uid and deletion. Empty strings
// where even that is missing.
PodSpec ParsePodIdentity(absl::string_view json);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_PARSER_H_
