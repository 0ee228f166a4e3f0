#include "services/edged-svc/core/node_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/edged-svc/core/json_reader.h"
#include "services/edged-svc/core/status_json.h"

namespace skerry::edged {
namespace {

using nlohmann::json;

constexpr char kKubernetesVersion[] = "v1.32.0-skerry-";

NodeCondition Pressure(const char* type, bool on, const char* kubelet_has,
                       const char* kubelet_has_no, const char* what) {
  NodeCondition c;
  c.type = type;
  c.status = on ? "True" : "False";
  c.reason = on ? kubelet_has : kubelet_has_no;
  c.message = absl::StrCat("edged has ", on ? "insufficient " : "sufficient ", what);
  if (!on && std::string(type) == "DiskPressure") c.message = "edged has no disk pressure";
  return c;
}

json Amounts(const NodeFacts& facts, const NodeLimits& limits, bool allocatable) {
  // As the kubelet: what eviction keeps free is not for pods.
  const int64_t memory =
      allocatable ? std::max<int64_t>(0, facts.memory_bytes - limits.memory_available_min)
                  : facts.memory_bytes;
  const int64_t storage = allocatable
                              ? static_cast<int64_t>(static_cast<double>(facts.storage_bytes) *
                                                     (1 - limits.storage_available_min))
                              : facts.storage_bytes;
  return {{"cpu", absl::StrCat(facts.cpus)},
          {"memory", absl::StrCat(memory / 1024, "Ki")},
          {"ephemeral-storage",
           allocatable ? absl::StrCat(storage) : absl::StrCat(storage / 1024, "Ki")},
          {"pods", absl::StrCat(limits.pods_max)}};
}

}  // namespace

std::vector<NodeCondition> NodeConditions(const NodeFacts& facts, const NodeLimits& limits,
                                          const std::vector<NodeCondition>& before,
                                          absl::Time now) {
  const auto scarce = [](int64_t available, int64_t bytes, double min) {
    return bytes > 0 && static_cast<double>(available) < min * static_cast<double>(bytes);
  };
  const bool disk =
      scarce(facts.storage_available_bytes, facts.storage_bytes, limits.storage_available_min) ||
      scarce(facts.image_available_bytes, facts.image_bytes, limits.image_available_min);
  const bool inodes = facts.inodes > 0 && facts.inodes_free < facts.inodes / 20;
  std::vector<NodeCondition> out = {
      Pressure("MemoryPressure", facts.memory_available_bytes < limits.memory_available_min,
               "KubeletHasInsufficientMemory", "KubeletHasSufficientMemory", "memory available"),
      Pressure("DiskPressure", disk || inodes, "KubeletHasDiskPressure", "KubeletHasNoDiskPressure",
               "disk space available"),
      Pressure("PIDPressure",
               facts.pids_max > 0 && facts.pids > facts.pids_max - facts.pids_max / 10,
               "KubeletHasInsufficientPID", "KubeletHasSufficientPID", "PID available"),
  };
  NodeCondition ready;
  ready.type = "Ready";
  ready.status = facts.runtime_ready ? "True" : "False";
  ready.reason = facts.runtime_ready ? "KubeletReady" : "KubeletNotReady";
  ready.message = facts.runtime_ready ? "edged is posting ready status" : facts.runtime_message;
  out.push_back(std::move(ready));
  for (NodeCondition& c : out) {
    c.heartbeat = now;
    c.transition = now;
    for (const NodeCondition& b : before) {
      if (b.type == c.type && b.status == c.status) c.transition = b.transition;
    }
  }
  return out;
}

std::vector<std::string> NodeConditionEvents(const std::vector<NodeCondition>& before,
                                             const std::vector<NodeCondition>& after) {
  std::vector<std::string> out;
  for (const NodeCondition& c : after) {
    const bool same = std::any_of(before.begin(), before.end(), [&](const NodeCondition& b) {
      return b.type == c.type && b.status == c.status;
    });
    // "KubeletHasDiskPressure" is told as "NodeHasDiskPressure".
    if (!same) out.push_back(absl::StrCat("Node", absl::StripPrefix(c.reason, "Kubelet")));
  }
  return out;
}

std::string NodeStatusJson(const NodeFacts& facts, const NodeLimits& limits,
                           const std::vector<NodeCondition>& conditions,
                           const std::string& version) {
  json addresses = json::array();
  for (const std::string& address : facts.addresses)
    addresses.push_back({{"type", "InternalIP"}, {"address", address}});
  addresses.push_back({{"type", "Hostname"}, {"address", facts.hostname}});
  json list = json::array();
  for (const NodeCondition& c : conditions) {
    list.push_back({{"type", c.type},
                    {"status", c.status},
                    {"reason", c.reason},
                    {"message", c.message},
                    {"lastHeartbeatTime", FormatKubeTime(c.heartbeat)},
                    {"lastTransitionTime", FormatKubeTime(c.transition)}});
  }
  const json out = {
      {"addresses", addresses},
      {"capacity", Amounts(facts, limits, false)},
      {"allocatable", Amounts(facts, limits, true)},
      {"conditions", list},
      {"nodeInfo",
       {{"machineID", facts.machine_id},
        {"systemUUID", facts.system_uuid},
        {"bootID", facts.boot_id},
        {"kernelVersion", facts.kernel},
        {"osImage", facts.os_image},
        {"operatingSystem", "linux"},
        {"architecture", facts.architecture},
        {"containerRuntimeVersion", absl::StrCat(facts.runtime_name, "://", facts.runtime_version)},
        {"kubeletVersion", absl::StrCat(kKubernetesVersion, version)},
        {"kubeProxyVersion", ""}}}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::map<std::string, std::string> NodeLabels(const NodeFacts& facts) {
  return {{"kubernetes.io/arch", facts.architecture},
          {"kubernetes.io/os", "linux"},
          {"kubernetes.io/hostname", facts.hostname}};
}

bool CountsAsLost(absl::string_view node_json) {
  const nlohmann::json node =
      nlohmann::json::parse(node_json.begin(), node_json.end(), nullptr, false);
  absl::Status status;
  bool lost = false;
  JsonReader(&node, "", &status)
      .Object("status")
      .Each("conditions", [&lost](const JsonReader& condition) {
        lost |= condition.Str("type") == "Ready" && condition.Str("status") == "Unknown";
      });
  return status.ok() && lost;
}

}  // namespace skerry::edged
