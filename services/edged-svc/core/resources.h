// From requests and limits to cgroup settings, as the kubelet does it.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_RESOURCES_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_RESOURCES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// What the node has for pods.
struct NodeResources {
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
  int64_t storage_bytes = 0;
};

QosClass QosOf(const PodSpec& pod);
absl::string_view QosName(QosClass qos);  // "Guaranteed", "Burstable", "BestEffort".

ContainerLimits LimitsOf(const PodSpec& pod, const ContainerSpec& container,
                         const NodeResources& node);

// "limits.cpu", "requests.memory", …, divided by `divisor_nano` (0: 1), rounded up, as text. What
// the container does not limit is the node's. Empty: no such resource.
std::string ResourceFieldValue(const ContainerSpec& container, absl::string_view resource,
                               int64_t divisor_nano, const NodeResources& node);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_RESOURCES_H_
