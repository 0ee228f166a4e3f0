// Conditions of a status, merged by type.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_CONDITIONS_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_CONDITIONS_H_

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::edgecontroller {

// The reported conditions, after those present ones that the reporter does not speak of: it owns
// the types in `owned`, so a present condition of such a type that is not reported is dropped. A
// condition whose status did not change keeps its lastTransitionTime.
nlohmann::json MergeConditions(const nlohmann::json& present, const nlohmann::json& reported,
                               const std::set<std::string>& owned);

// The condition of that type, or null.
const nlohmann::json* FindCondition(const nlohmann::json& conditions, absl::string_view type);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_CONDITIONS_H_
