// What a request of /exec, /attach or /portForward asks of the runtime.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_STREAM_REQUEST_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_STREAM_REQUEST_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/kubelet/request_head.h"
#include "services/edged-svc/runner/pod_manager.h"

namespace skerry::edged {

// path: its segments, as in {"exec", namespace, pod, [uid,] container}. INVALID_ARGUMENT for the
// request's own faults, else NOT_FOUND, in the kubelet's words.
absl::StatusOr<StreamRequest> MakeStreamRequest(const RequestHead& head,
                                                const std::vector<std::string>& path,
                                                const PodManager::PodState& pod);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_STREAM_REQUEST_H_
