// What edged says of its node: the kubelet's part of core/v1 NodeStatus.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_NODE_STATUS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_NODE_STATUS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edged {

// Measured and read from the machine.
struct NodeFacts {
  std::string hostname, machine_id, system_uuid, boot_id, kernel, os_image, architecture;
  std::vector<std::string> addresses;  // The first is the one that pods and people use.
  int64_t cpus = 0, memory_bytes = 0, memory_available_bytes = 0;
  int64_t storage_bytes = 0, storage_available_bytes = 0, inodes = 0, inodes_free = 0;
  int64_t image_bytes = 0, image_available_bytes = 0;  // Of the images' disk; 0: not known yet.
  int64_t pids_max = 0, pids = 0;
  std::string runtime_name, runtime_version;
  bool runtime_ready = false;
  std::string runtime_message;  // Why it is not.
};

struct NodeCondition {
  std::string type, status, reason, message;
  absl::Time heartbeat, transition;
};

struct NodeLimits {
  int64_t pods_max = 110;
  int64_t memory_available_min = 100 << 20;  // The kubelet's eviction thresholds.
  double storage_available_min = 0.10;
  double image_available_min = 0.15;
};

// Conditions in the kubelet's order; transition times of `before` are kept where a status has not
// changed.
std::vector<NodeCondition> NodeConditions(const NodeFacts& facts, const NodeLimits& limits,
                                          const std::vector<NodeCondition>& before, absl::Time now);

// Reasons of the events that tell of what has changed: "NodeHasDiskPressure", "NodeReady".
std::vector<std::string> NodeConditionEvents(const std::vector<NodeCondition>& before,
                                             const std::vector<NodeCondition>& after);

// core/v1 NodeStatus. version: of this program.
std::string NodeStatusJson(const NodeFacts& facts, const NodeLimits& limits,
                           const std::vector<NodeCondition>& conditions,
                           const std::string& version);

// kubernetes.io/arch, kubernetes.io/os, kubernetes.io/hostname.
std::map<std::string, std::string> NodeLabels(const NodeFacts& facts);

// Whether the cloud's Node object says Ready=Unknown: it counts this node as lost, and only a new
// report changes that. False for what is not a Node.
bool CountsAsLost(absl::string_view node_json);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_NODE_STATUS_H_
