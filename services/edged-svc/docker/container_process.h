// Processes of containers. Docker tells their pids in its own pid namespace: in another one, or
// later, the same number is another process.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_PROCESS_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_PROCESS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace skerry::edged {

// Whether the process that has `pid` now is in the container's cgroup. What was opened of it before
// (a pidfd, a namespace) is the container's then.
bool IsOfContainer(absl::string_view container_id, int64_t pid);

// SIGKILL; nothing where it is another's.
void KillInside(absl::string_view container_id, int64_t pid);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_CONTAINER_PROCESS_H_
