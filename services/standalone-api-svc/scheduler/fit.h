// Where a pod may run: the part of kube-scheduler's rules that sites without a cluster need. Pure.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_FIT_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_FIT_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::standaloneapi {

// What the choice needs of a Node object.
struct NodeInfo {
  struct Taint {
    std::string key;
    std::string value;
    std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute.
  };

  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<Taint> taints;
  bool ready = false;          // Condition Ready is True.
  bool unschedulable = false;  // Cordoned.
  int pods_max = 110;          // status.allocatable.pods, or the kubelet's default.
  int pods = 0;                // Bound to it and not finished; counted by the caller.
};

// Reads a core/v1 Node. Fields of a wrong type count as absent.
NodeInfo ParseNode(const nlohmann::json& node);

struct Placement {
  std::string node;     // Empty: no node fits.
  std::string message;  // Then why, in kube-scheduler's words: "0/2 nodes are available: 1 node(s)
                        // were unschedulable, …".
};

// The fitting node with the fewest pods, the first by name among equals. Fits: ready, not cordoned,
// has room, its labels match spec.nodeSelector and the required node affinity, its NoSchedule and
// NoExecute taints are tolerated. `pod` is a core/v1 Pod; fields of a wrong type count as absent.
Placement Place(const nlohmann::json& pod, const std::vector<NodeInfo>& nodes);

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_SCHEDULER_FIT_H_
