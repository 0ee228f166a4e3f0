#include "services/standalone-api-svc/scheduler/fit.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace skerry::standaloneapi {
namespace {

using Json = nlohmann::json;

const Json& At(const Json& object, const char* key) {
  static const Json* const kNull = new Json();
  if (!object.is_object()) return *kNull;
  auto it = object.find(key);
  return it == object.end() ? *kNull : *it;
}

std::string Text(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

// One term of matchExpressions, against labels (or, for matchFields, against metadata.name).
bool MatchesExpression(const Json& expression, const std::map<std::string, std::string>& labels) {
  auto label = labels.find(Text(expression, "key"));
  const bool has = label != labels.end();
  const std::string op = Text(expression, "operator");
  const Json& values = At(expression, "values");
  if (op == "Exists") return has;
  if (op == "DoesNotExist") return !has;
  bool listed = false;
  if (has && values.is_array()) {
    for (const Json& value : values)
      listed |= value.is_string() && value.get<std::string>() == label->second;
  }
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Gt" || op == "Lt") {
    int64_t bound = 0;
    int64_t actual = 0;
    if (!has || !values.is_array() || values.size() != 1 || !values[0].is_string()) return false;
    if (!absl::SimpleAtoi(values[0].get<std::string>(), &bound) ||
        !absl::SimpleAtoi(label->second, &actual))
      return false;
    return op == "Gt" ? actual > bound : actual < bound;
  }
  return false;  // An operator that is not known matches nothing, as in kube-scheduler.
}

bool AllMatch(const Json& expressions, const std::map<std::string, std::string>& labels) {
  for (const Json& expression : expressions) {
    if (!MatchesExpression(expression, labels)) return false;
  }
  return true;
}

// Terms are alternatives; an empty term matches nothing.
bool MatchesAffinity(const Json& pod_spec, const NodeInfo& node) {
  const Json& required = At(At(At(pod_spec, "affinity"), "nodeAffinity"),
                            "requiredDuringSchedulingIgnoredDuringExecution");
  const Json& terms = At(required, "nodeSelectorTerms");
  if (!terms.is_array()) return true;
  for (const Json& term : terms) {
    const Json& expressions = At(term, "matchExpressions");
    const Json& fields = At(term, "matchFields");
    if (expressions.empty() && fields.empty()) continue;
    if (AllMatch(expressions, node.labels) && AllMatch(fields, {{"metadata.name", node.name}}))
      return true;
  }
  return false;
}

bool MatchesSelector(const Json& pod_spec, const NodeInfo& node) {
  const Json& selector = At(pod_spec, "nodeSelector");
  if (!selector.is_object()) return true;
  for (const auto& [key, value] : selector.items()) {
    auto label = node.labels.find(key);
    if (label == node.labels.end() || !value.is_string() ||
        label->second != value.get<std::string>())
      return false;
  }
  return true;
}

bool Tolerates(const Json& toleration, const NodeInfo::Taint& taint) {
  const std::string effect = Text(toleration, "effect");
  const std::string key = Text(toleration, "key");
  const std::string op = Text(toleration, "operator");
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  return !key.empty() && Text(toleration, "value") == taint.value;
}

// The first taint that keeps the pod away, or null.
const NodeInfo::Taint* Untolerated(const Json& pod_spec, const NodeInfo& node) {
  const Json& tolerations = At(pod_spec, "tolerations");
  for (const NodeInfo::Taint& taint : node.taints) {
    if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") continue;
    bool tolerated = false;
    for (const Json& toleration : tolerations) tolerated |= Tolerates(toleration, taint);
    if (!tolerated) return &taint;
  }
  return nullptr;
}

// Why the pod can't run there; empty if it can. The words are kube-scheduler's.
std::string Refusal(const Json& pod_spec, const NodeInfo& node) {
  if (!node.ready) return "node(s) were not ready";
  if (node.unschedulable) return "node(s) were unschedulable";
  if (!MatchesSelector(pod_spec, node) || !MatchesAffinity(pod_spec, node)) {
    return "node(s) didn't match Pod's node affinity/selector";
  }
  if (const NodeInfo::Taint* taint = Untolerated(pod_spec, node)) {
    return absl::StrCat("node(s) had untolerated taint {", taint->key, ": ", taint->value, "}");
  }
  if (node.pods >= node.pods_max) return "Too many pods";
  return "";
}

}  // namespace

NodeInfo ParseNode(const Json& node) {
  NodeInfo info;
  info.name = Text(At(node, "metadata"), "name");
  const Json& labels = At(At(node, "metadata"), "labels");
  if (labels.is_object()) {
    for (const auto& [key, value] : labels.items()) {
      if (value.is_string()) info.labels[key] = value.get<std::string>();
    }
  }
  for (const Json& taint : At(At(node, "spec"), "taints")) {
    info.taints.push_back({Text(taint, "key"), Text(taint, "value"), Text(taint, "effect")});
  }
  const Json& unschedulable = At(At(node, "spec"), "unschedulable");
  info.unschedulable = unschedulable.is_boolean() && unschedulable.get<bool>();
  for (const Json& condition : At(At(node, "status"), "conditions")) {
    if (Text(condition, "type") == "Ready") info.ready = Text(condition, "status") == "True";
  }
  const Json& pods = At(At(At(node, "status"), "allocatable"), "pods");
  int count = 0;
  if (pods.is_string() && absl::SimpleAtoi(pods.get<std::string>(), &count)) info.pods_max = count;
  if (pods.is_number_integer()) info.pods_max = pods.get<int>();
  return info;
}

Placement Place(const Json& pod, const std::vector<NodeInfo>& nodes) {
  if (nodes.empty()) return {.node = "", .message = "no nodes available to schedule pods"};
  const Json& spec = At(pod, "spec");
  const NodeInfo* best = nullptr;
  std::map<std::string, int> refusals;
  for (const NodeInfo& node : nodes) {
    std::string refusal = Refusal(spec, node);
    if (!refusal.empty()) {
      ++refusals[refusal];
      continue;
    }
    if (best == nullptr || node.pods < best->pods ||
        (node.pods == best->pods && node.name < best->name))
      best = &node;
  }
  if (best != nullptr) return {.node = best->name, .message = ""};
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : refusals) reasons.push_back(absl::StrCat(count, " ", reason));
  std::sort(reasons.begin(), reasons.end());
  return {.node = "",
          .message = absl::StrCat("0/", nodes.size(),
                                  " nodes are available: ", absl::StrJoin(reasons, ", "), ".")};
}

}  // namespace skerry::standaloneapi
