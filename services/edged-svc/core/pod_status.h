// What edged says of a pod: the kubelet's part of core/v1 PodStatus.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_STATUS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_STATUS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/fields.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

struct ContainerState {
  enum class Kind { kNone, kWaiting, kRunning, kTerminated } kind = Kind::kNone;
  std::string reason, message;
  int32_t exit_code = 0;
  absl::Time started = absl::UnixEpoch(), finished = absl::UnixEpoch();
  std::string container_id;  // Of a terminated one.
};

struct ContainerStatus {
  std::string name, image, image_id, container_id;
  int32_t restart_count = 0;
  bool ready = false, started = false;
  ContainerState state, last_state;
};

struct PodCondition {
  std::string type, status, reason, message;
  absl::Time transition = absl::UnixEpoch();
};

struct PodStatus {
  std::string phase = "Pending", reason, message, host_address, qos;
  std::vector<std::string> addresses;
  absl::Time start_time = absl::UnixEpoch();
  std::vector<PodCondition> conditions;
  std::vector<ContainerStatus> init_containers, containers;

  bool terminal() const { return phase == "Succeeded" || phase == "Failed"; }
  const ContainerStatus* Find(absl::string_view container) const;
};

// Why a container does not run, as the last attempt to start it left it.
struct Waiting {
  std::string reason, message;
};

// What is known of a container beyond the runtime's view.
struct ContainerFacts {
  Waiting waiting;            // Empty reason: nothing failed.
  std::string probed_id;      // The start of the container that the results below speak of.
  std::optional<bool> ready;  // The readiness probe's result; nullopt: no result yet.
  std::optional<bool> started;
};

struct StatusInput {
  const PodSpec* pod = nullptr;
  const PodView* view = nullptr;  // With what the runtime has forgotten: Remember().
  const std::map<std::string, ContainerFacts>* facts = nullptr;
  const PodStatus* previous = nullptr;  // As last reported; null at first.
  std::string host_address;
  // Where the pod as a whole was ended by edged: "Failed", a reason ("DeadlineExceeded") and a
  // message.
  std::string forced_phase, forced_reason, forced_message;
  absl::Time now;
};

PodStatus ComputePodStatus(const StatusInput& input);

// Adds to `view` the ends of containers that `previous` speaks of and the runtime no longer has, so
// that restart counts, last states and the end of a pod survive the loss of the runtime's records.
// Such containers have an empty sandbox_id. A container that ran ends with 137 /
// ContainerStatusUnknown, as the kubelet says.
void Remember(const PodSpec& pod, const PodStatus& previous, absl::Time now, PodView& view);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_STATUS_H_
