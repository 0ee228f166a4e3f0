#include "services/cloudhub-svc/join/node_gate.h"

#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

absl::StatusOr<std::unique_ptr<NodeGate>> NodeGate::Open(NodeRegistry& nodes) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<NodeName> disabled, nodes.DisabledNodes());
  return std::unique_ptr<NodeGate>(new NodeGate(nodes, disabled));
}

absl::Status NodeGate::Admit(const NodeName& node) {
  absl::MutexLock lock(&mutex_);
  return disabled_.count(node) == 0 ? absl::OkStatus() : NodeDisabled(node);
}

absl::Status NodeGate::SetDisabled(const NodeName& node, bool disabled) {
  SKERRY_RETURN_IF_ERROR(nodes_.SetDisabled(node, disabled));
  Note(node, disabled);
  return absl::OkStatus();
}

void NodeGate::Note(const NodeName& node, bool disabled) {
  absl::MutexLock lock(&mutex_);
  if (disabled) {
    disabled_.insert(node);
  } else {
    disabled_.erase(node);
  }
}

}  // namespace skerry::cloudhub
