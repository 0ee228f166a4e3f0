// Ages as kubectl prints them.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_HUMAN_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_HUMAN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::kubeapi {

// "45s", "3m12s", "5h", "2d4h", "3y"; as k8s.io/apimachinery's HumanDuration.
std::string HumanDuration(absl::Duration duration);
// Since an RFC 3339 timestamp; "<unknown>" where there is none.
std::string AgeSince(absl::string_view timestamp, absl::Time now);
// "2026-11-23T19:00:00Z"
std::string KubeTime(absl::Time time);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_HUMAN_H_
