// A container's environment, command and arguments.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_ENV_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_ENV_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/fields.h"
#include "services/edged-svc/core/object_source.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/resources.h"

namespace skerry::edged {

using Environment = std::vector<std::pair<std::string, std::string>>;

// envFrom first, then env in order: a later name replaces an earlier one, and $(NAME) reads what
// stands before it. FAILED_PRECONDITION, with the kubelet's words, when an object or key is missing
// that is not optional.
absl::StatusOr<Environment> BuildEnvironment(const PodSpec& pod, const ContainerSpec& container,
                                             const PodPlace& place, const ObjectSource& objects,
                                             const NodeResources& node);

// $(NAME) becomes its value, $$ becomes $, what is not known stays as it is.
std::string Expand(absl::string_view text, const std::map<std::string, std::string>& values);

// command and args of a container, expanded.
std::vector<std::string> ExpandAll(const std::vector<std::string>& texts,
                                   const Environment& environment);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_ENV_H_
