// What has to be done next for a pod.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_ACTIONS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_ACTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/edged-svc/core/backoff.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/pod_status.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

enum class PodGoal {
  kRun,     // As its spec asks.
  kStop,    // It has succeeded or failed: nothing may run, records stay.
  kRemove,  // Deleted: nothing may be left.
};

struct KillContainer {
  std::string id, name;
  std::string why;
};

struct PodActions {
  bool create_sandbox = false;
  uint32_t sandbox_attempt = 0;
  std::vector<std::string> stop_sandboxes;
  std::vector<std::string> start;  // Names; an init container or main containers, never both.
  std::vector<KillContainer> kill;
  std::vector<std::string> remove_containers, remove_sandboxes;
  std::map<std::string, Waiting> back_off;  // Containers that wait for their next attempt.
  absl::Time next_check = absl::InfiniteFuture();
  bool gone = false;  // kRemove only: the runtime has nothing of the pod left.
};

struct ActionInput {
  const PodSpec* pod = nullptr;
  const PodView* view = nullptr;  // With what the runtime has forgotten: Remember().
  const std::map<std::string, Backoff>* crashes = nullptr;  // By container name.
  const std::map<std::string, std::string>* unhealthy =
      nullptr;  // Container ids to restart, and why.
  PodGoal goal = PodGoal::kRun;
  absl::Time now;
};

PodActions ComputePodActions(const ActionInput& input);

// Whether its end leads to another start of `container`, by the pod's restart policy. `latest` may
// be null.
bool ShouldRestart(const PodSpec& pod, const ContainerView* latest);

// All init containers have succeeded in the present sandbox.
bool IsInitialized(const PodSpec& pod, const PodView& view);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_ACTIONS_H_
