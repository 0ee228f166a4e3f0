// Paths of the kubelet's API that name a pod.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_KUBELET_PATH_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_KUBELET_PATH_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::edgecontroller {

// The pod ("namespace/name") of /containerLogs/{namespace}/{pod}/{container},
// /exec|attach/{namespace}/{pod}[/{uid}]/{container} and /portForward/{namespace}/{pod}[/{uid}];
// nothing for other paths.
std::optional<std::string> PodOfKubeletPath(absl::string_view path);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_KUBELET_PATH_H_
