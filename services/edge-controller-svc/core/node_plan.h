// What a node's report, and its silence, mean for the Node and its Lease.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_PLAN_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_PLAN_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edgecontroller {

inline constexpr char kEdgeRoleLabel[] = "node-role.kubernetes.io/edge";

struct NodeReportValue {
  std::string status_json;
  std::map<std::string, std::string> labels;
};

// The status of a report, or INVALID_ARGUMENT.
absl::StatusOr<nlohmann::json> ParseNodeStatus(const NodeReportValue& report);

// A label that a node may set on itself: those of NodeRestriction's list and any outside of
// Kubernetes' own domains; never a role, never node-restriction.kubernetes.io.
bool NodeMaySetLabel(absl::string_view label);

// The Node to create at a first report; body JSON.
std::string NewNode(absl::string_view name, const NodeReportValue& report,
                    const nlohmann::json& status);
// Merge patch of the labels; empty where nothing differs. Labels that others set stay.
std::string PlanNodeLabels(const nlohmann::json& node, const NodeReportValue& report,
                           const nlohmann::json& status);
// Where the API server reaches the kubelets of edge nodes: at this controller. Port 0: nowhere.
struct KubeletEndpoint {
  std::string address;  // An IP address or a DNS name.
  int port = 0;
  bool internal_ip = false;  // Published as InternalIP, too; `address` is an IP address then.
};
// Puts it into a Node's status: the kubelet's port, and the address of type Hostname, which API
// servers prefer over all others unless they are told otherwise; with internal_ip also as the first
// InternalIP, which kubeadm's prefer. The node's own InternalIPs come after it.
void SetKubeletEndpoint(const KubeletEndpoint& endpoint, nlohmann::json& status);
// Merge patch for the status subresource that does so, conditional on resourceVersion: addresses
// are replaced as a whole. Empty where it says so already.
std::string PlanKubeletEndpoint(const nlohmann::json& node, const KubeletEndpoint& endpoint);

// Merge patch for the status subresource, conditional on resourceVersion; empty where nothing
// differs. What the node does not report (conditions of others, volumesAttached) stays.
std::string PlanNodeStatus(const nlohmann::json& node, const nlohmann::json& status);

bool IsEdgeNode(const nlohmann::json& node);
// The Ready condition has gone Unknown because nothing was heard.
bool IsMarkedLost(const nlohmann::json& node);
// Merge patch for the status: what the node had to say is Unknown from now on. Empty if it is
// marked.
std::string PlanNodeLost(const nlohmann::json& node, absl::Time now);

// A digest of the Node that leaves out what the node itself reported, so that its own heartbeat is
// not sent back to it; a loss mark counts.
uint64_t NodeDigest(const nlohmann::json& node);

// The body of kube-node-lease/<node>: `current` renewed, or a new one if null. `node_uid` makes it
// go with the Node.
std::string RenewedLease(const nlohmann::json& current, absl::string_view node,
                         absl::string_view node_uid, absl::Duration duration, absl::Time now);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_PLAN_H_
