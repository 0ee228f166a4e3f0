// Where the kernel counts and bounds a pod.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_CGROUP_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_CGROUP_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// The cgroup of all containers of a pod, below `parent`: "/kubepods/burstable/pod<uid>", as the
// kubelet names it.
std::string PodCgroup(absl::string_view parent, const PodSpec& pod);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_CGROUP_H_
