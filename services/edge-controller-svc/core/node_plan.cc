#include "services/edge-controller-svc/core/node_plan.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "services/edge-controller-svc/core/conditions.h"
#include "services/edge-controller-svc/core/merge_diff.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {
namespace {

using kubeapi::StringAt;

constexpr char kLostReason[] = "NodeStatusUnknown";
constexpr char kLostMessage[] = "The edge node stopped posting node status.";
constexpr size_t kLabelsMax = 100;

std::string Seconds(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string Micros(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

std::map<std::string, std::string> WantedLabels(absl::string_view name,
                                                const NodeReportValue& report,
                                                const nlohmann::json& status) {
  std::map<std::string, std::string> labels;
  const std::string arch = StringAt(status, {"nodeInfo", "architecture"});
  const std::string os = StringAt(status, {"nodeInfo", "operatingSystem"});
  if (!arch.empty()) labels["kubernetes.io/arch"] = arch;
  if (!os.empty()) labels["kubernetes.io/os"] = os;
  for (const auto& [label, value] : report.labels) {
    if (labels.size() >= kLabelsMax) break;
    if (NodeMaySetLabel(label)) labels[label] = value;
  }
  labels["kubernetes.io/hostname"] = std::string(name);
  labels[kEdgeRoleLabel] = "";
  return labels;
}

// Takes away what a leader before has published as InternalIP: it is the Hostname, too, and the
// node's own come after it. Where none does it is the node's own, whatever the Hostname says.
void RemovePublishedInternalIp(nlohmann::json& status) {
  nlohmann::json addresses = kubeapi::ArrayAt(status, {"addresses"});
  std::string hostname;
  std::vector<size_t> internal;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const std::string& type = StringAt(addresses[i], {"type"});
    if (type == "Hostname") hostname = StringAt(addresses[i], {"address"});
    if (type == "InternalIP") internal.push_back(i);
  }
  if (internal.size() < 2 || StringAt(addresses[internal[0]], {"address"}) != hostname) return;
  addresses.erase(internal[0]);
  status["addresses"] = std::move(addresses);
}

}  // namespace

absl::StatusOr<nlohmann::json> ParseNodeStatus(const NodeReportValue& report) {
  absl::StatusOr<nlohmann::json> status = kubeapi::ParseJson(report.status_json);
  if (!status.ok()) return Annotate(status.status(), "node report");
  if (!status->is_object()) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "the node report's status is not a JSON object")
        .Reason("REPORT_MALFORMED");
  }
  return status;
}

bool NodeMaySetLabel(absl::string_view label) {
  static const auto* allowed =
      new std::set<std::string>{"kubernetes.io/hostname",
                                "kubernetes.io/arch",
                                "kubernetes.io/os",
                                "beta.kubernetes.io/arch",
                                "beta.kubernetes.io/os",
                                "beta.kubernetes.io/instance-type",
                                "node.kubernetes.io/instance-type",
                                "topology.kubernetes.io/zone",
                                "topology.kubernetes.io/region",
                                "failure-domain.beta.kubernetes.io/zone",
                                "failure-domain.beta.kubernetes.io/region"};
  if (allowed->contains(std::string(label))) return true;
  const absl::string_view domain = label.substr(0, label.find('/'));
  if (domain.size() == label.size()) return true;  // No domain: a user's own.
  if (domain == "node.kubernetes.io" || domain == "kubelet.kubernetes.io" ||
      absl::EndsWith(domain, ".node.kubernetes.io") ||
      absl::EndsWith(domain, ".kubelet.kubernetes.io")) {
    return true;
  }
  for (const char* reserved : {"kubernetes.io", "k8s.io"}) {
    if (domain == reserved || absl::EndsWith(domain, std::string(".") + reserved)) return false;
  }
  return true;
}

std::string NewNode(absl::string_view name, const NodeReportValue& report,
                    const nlohmann::json& status) {
  const nlohmann::json node = {
      {"apiVersion", "v1"},
      {"kind", "Node"},
      {"metadata", {{"name", std::string(name)}, {"labels", WantedLabels(name, report, status)}}},
      {"spec", nlohmann::json::object()}};
  return kubeapi::DumpJson(node);
}

std::string PlanNodeLabels(const nlohmann::json& node, const NodeReportValue& report,
                           const nlohmann::json& status) {
  const nlohmann::json& present = kubeapi::ObjectAt(node, {"metadata", "labels"});
  nlohmann::json patch = nlohmann::json::object();
  for (const auto& [label, value] :
       WantedLabels(StringAt(node, {"metadata", "name"}), report, status)) {
    const auto it = present.find(label);
    if (it == present.end() || *it != value) patch[label] = value;
  }
  if (patch.empty()) return "";
  return kubeapi::DumpJson({{"metadata", {{"labels", std::move(patch)}}}});
}

std::string PlanNodeStatus(const nlohmann::json& node, const nlohmann::json& status) {
  const nlohmann::json& before = kubeapi::ObjectAt(node, {"status"});
  nlohmann::json merged = status;
  merged["conditions"] = MergeConditions(kubeapi::ArrayAt(before, {"conditions"}),
                                         kubeapi::ArrayAt(status, {"conditions"}), {});
  for (const char* kept : {"volumesAttached", "phase"}) {
    if (before.contains(kept)) merged[kept] = before[kept];
  }
  nlohmann::json difference = MergeDiff(before, merged);
  if (difference.empty()) return "";
  return kubeapi::DumpJson(
      {{"metadata", {{"resourceVersion", StringAt(node, {"metadata", "resourceVersion"})}}},
       {"status", std::move(difference)}});
}

void SetKubeletEndpoint(const KubeletEndpoint& endpoint, nlohmann::json& status) {
  if (endpoint.port == 0) return;
  status["daemonEndpoints"] = {{"kubeletEndpoint", {{"Port", endpoint.port}}}};
  nlohmann::json addresses =
      nlohmann::json::array({{{"type", "Hostname"}, {"address", endpoint.address}}});
  if (endpoint.internal_ip)
    addresses.push_back({{"type", "InternalIP"}, {"address", endpoint.address}});
  for (const nlohmann::json& entry : kubeapi::ArrayAt(status, {"addresses"})) {
    const bool twice = endpoint.internal_ip && entry == addresses[1];  // A node beside the leader.
    if (StringAt(entry, {"type"}) != "Hostname" && !twice) addresses.push_back(entry);
  }
  status["addresses"] = std::move(addresses);
}

std::string PlanKubeletEndpoint(const nlohmann::json& node, const KubeletEndpoint& endpoint) {
  const nlohmann::json& before = kubeapi::ObjectAt(node, {"status"});
  nlohmann::json status = before;
  if (endpoint.port != 0) RemovePublishedInternalIp(status);
  SetKubeletEndpoint(endpoint, status);
  const nlohmann::json difference = MergeDiff(before, status);
  if (difference.empty()) return "";
  return kubeapi::DumpJson(
      {{"metadata", {{"resourceVersion", StringAt(node, {"metadata", "resourceVersion"})}}},
       {"status", difference}});
}

bool IsEdgeNode(const nlohmann::json& node) {
  return kubeapi::ObjectAt(node, {"metadata", "labels"}).contains(kEdgeRoleLabel);
}

bool IsMarkedLost(const nlohmann::json& node) {
  const nlohmann::json* ready =
      FindCondition(kubeapi::ArrayAt(node, {"status", "conditions"}), "Ready");
  return ready != nullptr && StringAt(*ready, {"status"}) == "Unknown";
}

std::string PlanNodeLost(const nlohmann::json& node, absl::Time now) {
  nlohmann::json conditions = kubeapi::ArrayAt(node, {"status", "conditions"});
  bool changed = false;
  // As Kubernetes' node lifecycle controller: what the kubelet says of itself is no longer known.
  for (const char* type : {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"}) {
    nlohmann::json* found = nullptr;
    for (nlohmann::json& condition : conditions) {
      if (StringAt(condition, {"type"}) == type) found = &condition;
    }
    if (found == nullptr && std::string(type) == "Ready") {
      conditions.push_back({{"type", type}, {"status", ""}});
      found = &conditions.back();
    }
    if (found == nullptr || StringAt(*found, {"status"}) == "Unknown") continue;
    (*found)["status"] = "Unknown";
    (*found)["reason"] = kLostReason;
    (*found)["message"] = kLostMessage;
    (*found)["lastTransitionTime"] = Seconds(now);
    changed = true;
  }
  if (!changed) return "";
  return kubeapi::DumpJson(
      {{"metadata", {{"resourceVersion", StringAt(node, {"metadata", "resourceVersion"})}}},
       {"status", {{"conditions", std::move(conditions)}}}});
}

uint64_t NodeDigest(const nlohmann::json& node) {
  nlohmann::json rest = node;
  const bool lost = IsMarkedLost(node);
  rest.erase("status");
  kubeapi::ErasePath(rest, {"metadata", "resourceVersion"});
  const uint64_t digest = absl::HashOf(kubeapi::DumpJson(rest), lost);
  return digest == 0 ? 1 : digest;
}

std::string RenewedLease(const nlohmann::json& current, absl::string_view node,
                         absl::string_view node_uid, absl::Duration duration, absl::Time now) {
  const std::string name(node);
  nlohmann::json lease = current;
  if (lease.is_null()) {
    lease = {{"apiVersion", "coordination.k8s.io/v1"},
             {"kind", "Lease"},
             {"metadata", {{"name", name}, {"namespace", "kube-node-lease"}}}};
  }
  lease["metadata"]["ownerReferences"] = nlohmann::json::array(
      {{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", name}, {"uid", std::string(node_uid)}}});
  lease["spec"] = {{"holderIdentity", name},
                   {"leaseDurationSeconds", absl::ToInt64Seconds(duration)},
                   {"renewTime", Micros(now)}};
  return kubeapi::DumpJson(lease);
}

}  // namespace skerry::edgecontroller
