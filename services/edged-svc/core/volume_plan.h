// What the files of a pod's ConfigMap, Secret, downward API and projected volumes are.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_VOLUME_PLAN_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_VOLUME_PLAN_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "services/edged-svc/core/fields.h"
#include "services/edged-svc/core/object_source.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/resources.h"

namespace skerry::edged {

struct FilePayload {
  std::string bytes;
  int32_t mode = 0644;
  bool operator==(const FilePayload&) const = default;
};
// By path relative to the volume; every path stays inside it.
using VolumeFiles = std::map<std::string, FilePayload>;

// FAILED_PRECONDITION, with the kubelet's words, when an object or key is missing that is not
// optional.
//
// This box has no source of service account tokens. A volume that the API server's admission added
// by itself
// ("kube-api-access-…") is built without the token, and without its ConfigMap where that is absent,
// so that pods which never speak to the API run; a token that the user's own volume asks for is
// refused.
absl::StatusOr<VolumeFiles> PlanFiles(const PodSpec& pod, const VolumeSpec& volume,
                                      const PodPlace& place, const ObjectSource& objects,
                                      const NodeResources& node);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_VOLUME_PLAN_H_
