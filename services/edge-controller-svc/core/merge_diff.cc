#include "services/edge-controller-svc/core/merge_diff.h"

#include <nlohmann/json.hpp>

namespace skerry::edgecontroller {

nlohmann::json MergeDiff(const nlohmann::json& from, const nlohmann::json& to) {
  nlohmann::json patch = nlohmann::json::object();
  for (const auto& [key, value] : from.items()) {
    const auto wanted = to.find(key);
    if (!value.is_null() && (wanted == to.end() || wanted->is_null())) patch[key] = nullptr;
  }
  for (const auto& [key, value] : to.items()) {
    if (value.is_null()) continue;
    const auto present = from.find(key);
    if (present == from.end()) {
      patch[key] = value;
    } else if (present->is_object() && value.is_object()) {
      nlohmann::json inner = MergeDiff(*present, value);
      if (!inner.empty()) patch[key] = std::move(inner);
    } else if (*present != value) {
      patch[key] = value;
    }
  }
  return patch;
}

}  // namespace skerry::edgecontroller
