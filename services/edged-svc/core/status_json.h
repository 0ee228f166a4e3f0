// PodStatus as JSON of core/v1, and back.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_STATUS_JSON_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_STATUS_JSON_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_status.h"

namespace skerry::edged {

// Same status, same bytes. `foreign_conditions` (JSON objects) are added to our own; one that has a
// type of ours is dropped, but for PodScheduled, where the scheduler's replaces ours. Container ids
// get `runtime_name` in front: "containerd://…".
std::string ToJson(const PodStatus& status, absl::string_view runtime_name,
                   const std::vector<std::string>& foreign_conditions);

// What ToJson wrote; unreadable parts are left out. For checkpoints.
PodStatus PodStatusFromJson(absl::string_view json);

// RFC 3339 in UTC with seconds, as Kubernetes writes times.
std::string FormatKubeTime(absl::Time time);
absl::Time ParseKubeTime(absl::string_view text);  // Epoch where it is none.

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_STATUS_JSON_H_
