// The downward API: fields of a pod as text.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_FIELDS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_FIELDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// What is known of a pod only on the node.
struct PodPlace {
  std::string host_address;
  std::vector<std::string> addresses;  // Of the pod.
};

// "metadata.name", "metadata.labels['app']", "status.podIP", "spec.nodeName", …; maps
// (metadata.labels, metadata.annotations) as sorted lines key="escaped value". INVALID_ARGUMENT for
// a path that is not supported.
absl::StatusOr<std::string> PodField(const PodSpec& pod, const PodPlace& place,
                                     absl::string_view path);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_FIELDS_H_
