#include "services/edge-controller-svc/core/conditions.h"

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {

const nlohmann::json* FindCondition(const nlohmann::json& conditions, absl::string_view type) {
  if (!conditions.is_array()) return nullptr;
  for (const nlohmann::json& condition : conditions) {
    if (kubeapi::StringAt(condition, {"type"}) == type) return &condition;
  }
  return nullptr;
}

nlohmann::json MergeConditions(const nlohmann::json& present, const nlohmann::json& reported,
                               const std::set<std::string>& owned) {
  nlohmann::json merged = nlohmann::json::array();
  if (present.is_array()) {
    for (const nlohmann::json& condition : present) {
      const std::string type = kubeapi::StringAt(condition, {"type"});
      if (!owned.contains(type) && FindCondition(reported, type) == nullptr)
        merged.push_back(condition);
    }
  }
  if (!reported.is_array()) return merged;
  for (nlohmann::json condition : reported) {
    const nlohmann::json* before = FindCondition(present, kubeapi::StringAt(condition, {"type"}));
    const bool same = before != nullptr && kubeapi::StringAt(*before, {"status"}) ==
                                               kubeapi::StringAt(condition, {"status"});
    const nlohmann::json* since =
        same ? kubeapi::FindPath(*before, {"lastTransitionTime"}) : nullptr;
    if (since != nullptr) condition["lastTransitionTime"] = *since;
    merged.push_back(std::move(condition));
  }
  return merged;
}

}  // namespace skerry::edgecontroller
