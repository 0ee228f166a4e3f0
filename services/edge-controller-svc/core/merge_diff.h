// The JSON merge patch (RFC 7386) that turns one value into another.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_MERGE_DIFF_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_MERGE_DIFF_H_

#include <nlohmann/json_fwd.hpp>

namespace skerry::edgecontroller {

// Both are objects. An empty object: nothing differs. Members that are null in `to` count as
// absent.
nlohmann::json MergeDiff(const nlohmann::json& from, const nlohmann::json& to);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_MERGE_DIFF_H_
