// Which nodes may have a link.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_GATE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_GATE_H_

#include <memory>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

// Between the links, whose threads must not wait for a disk, and the registry: disabled nodes are
// kept in memory.
//
// Any thread may call it; what it is given outlives it.
class NodeGate {
 public:
  static absl::StatusOr<std::unique_ptr<NodeGate>> Open(NodeRegistry& nodes);

  // A node dials. PERMISSION_DENIED / NODE_DISABLED. Does not wait.
  absl::Status Admit(const NodeName& node);
  // As of NodeRegistry; waits. Sessions that are open are not its business.
  absl::Status SetDisabled(const NodeName& node, bool disabled);
  // Another replica has disabled or enabled the node in the registry. Does not wait.
  void Note(const NodeName& node, bool disabled);

 private:
  NodeGate(NodeRegistry& nodes, const std::vector<NodeName>& disabled)
      : nodes_(nodes), disabled_(disabled.begin(), disabled.end()) {}

  NodeRegistry& nodes_;
  absl::Mutex mutex_;
  std::set<NodeName> disabled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_NODE_GATE_H_
