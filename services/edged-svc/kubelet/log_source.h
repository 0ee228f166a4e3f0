// Which start of a container a request for its log means.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_SOURCE_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_SOURCE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/runner/pod_manager.h"

namespace skerry::edged {

struct LogSource {
  std::string container_id;
  int32_t restart = 0;
};

// NOT_FOUND where the pod has no such container; FAILED_PRECONDITION where it has no log (yet), in
// the kubelet's words.
absl::StatusOr<LogSource> FindLog(const PodManager::PodState& pod, const std::string& container,
                                  bool previous);

// True while the container may still write.
bool IsRunning(const PodManager::PodState& pod, absl::string_view container_id);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_SOURCE_H_
