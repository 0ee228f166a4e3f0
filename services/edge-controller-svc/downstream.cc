#include "services/edge-controller-svc/downstream.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-controller-svc/core/node_plan.h"
#include "services/edge-controller-svc/core/pod_plan.h"
#include "services/edge-controller-svc/core/pod_refs.h"

namespace skerry::edgecontroller {
namespace {

std::string NodeOfPod(const nlohmann::json& pod) {
  const auto spec = pod.find("spec");
  if (spec == pod.end() || !spec->is_object()) return "";
  const auto name = spec->find("nodeName");
  return name == spec->end() || !name->is_string() ? "" : name->get<std::string>();
}

}  // namespace

Downstream::Downstream(exec::SerialExecutor& executor, Cache cache,
                       kubeclient::EventRecorder& events, cloudspoke::HubMetrics& metrics,
                       log::Logger log)
    : executor_(executor),
      cache_(std::move(cache)),
      events_(events),
      pusher_({.types = {kNodes, kServiceAccounts, kSecrets, kConfigMaps, kPods},
               .first_removed = kPods},
              executor, *this, metrics, std::move(log)) {}

// ---- From informers.

void Downstream::PodUpserted(const KubeObject& pod) {
  const nlohmann::json json = pod.Json();
  const std::string node = NodeOfPod(json);
  const std::set<ObjectRef> refs = RefsOfPod(json);
  executor_.Run([&] {
    Apply(node.empty() ? interest_.RemovePod(pod.key())
                       : interest_.UpsertPod(pod.key(), node, refs));
    if (!node.empty()) pusher_.Touch(node, kPods, pod.key());
  });
}

void Downstream::PodDeleted(const KubeObject& pod) {
  executor_.Run([&] { Apply(interest_.RemovePod(pod.key())); });
}

void Downstream::ServiceAccountUpserted(const KubeObject& account) {
  const std::set<ObjectRef> refs = RefsOfServiceAccount(account.Json());
  executor_.Run([&] {
    Apply(interest_.SetServiceAccount(account.key(), refs));
    TouchAll({kServiceAccounts, account.key()});
  });
}

void Downstream::ServiceAccountDeleted(const KubeObject& account) {
  executor_.Run([&] {
    Apply(interest_.SetServiceAccount(account.key(), {}));
    TouchAll({kServiceAccounts, account.key()});
  });
}

void Downstream::ObjectChanged(absl::string_view type, absl::string_view key) {
  const ObjectRef ref{std::string(type), std::string(key)};
  executor_.Run([&] { TouchAll(ref); });
}

// ---- On the executor.

void Downstream::Apply(const std::vector<Interest::Change>& changes) {
  for (const Interest::Change& change : changes)
    pusher_.Touch(change.node, change.ref.type, change.ref.key);
}

void Downstream::TouchAll(const ObjectRef& ref) {
  for (const std::string& node : interest_.NodesThatNeed(ref))
    pusher_.Touch(node, ref.type, ref.key);
}

std::vector<std::string> Downstream::PodsOfNode(const std::string& node) const {
  return interest_.KeysNeeded(node, kPods);
}

bool Downstream::Needs(const std::string& node, const std::string& type,
                       const std::string& key) const {
  return interest_.Needs(node, {type, key});
}

std::vector<std::string> Downstream::KeysNeeded(const std::string& node,
                                                const std::string& type) const {
  return interest_.KeysNeeded(node, type);
}

std::optional<cloudspoke::Desired> Downstream::Lookup(const std::string& node,
                                                      const std::string& type,
                                                      const std::string& key) const {
  if (!interest_.Needs(node, {type, key})) return std::nullopt;
  std::optional<KubeObject> object = cache_(type, key);
  if (!object.has_value()) return std::nullopt;
  uint64_t digest = 0;
  if (type == kNodes) digest = NodeDigest(object->Json());
  if (type == kPods) digest = PodDigest(object->Json());
  return cloudspoke::Desired{.object = *std::move(object), .digest = digest};
}

void Downstream::Refused(const std::string& node, const std::string& type, const std::string& key,
                         const std::string& why) {
  const std::optional<KubeObject> object = cache_(type, key);
  // Only what the node is allowed to see may be spoken of by it.
  if (!object.has_value() || !interest_.Needs(node, {type, key})) return;
  events_.Warn(*object, node, "RejectedByEdge",
               absl::StrCat("Node ", node, " refused this object: ", why));
}

void Downstream::TooLarge(const std::string& node, const KubeObject& object, size_t bytes_max) {
  events_.Warn(object, node, "TooLargeForEdge",
               absl::StrCat("The object has ", object.text().size(), " bytes, at most ", bytes_max,
                            " can be sent to node ", node));
}

}  // namespace skerry::edgecontroller
