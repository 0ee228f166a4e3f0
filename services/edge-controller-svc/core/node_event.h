// What a node's event means: which Kubernetes Event it is, and how that one is brought up to date.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_EVENT_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_EVENT_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edgecontroller {

// As it came.
struct NodeEventValue {
  std::string id, kind, object_namespace, name, uid, field_path;
  std::string type;  // "Normal", "Warning"; empty: none that is known.
  std::string reason, message;
  std::optional<absl::Time> first, last;
  int64_t count = 0;
};

struct NodeEvent {
  std::string pod;                     // Key of the pod that it is about; empty: the node itself.
  std::string uid;                     // Of what it is about.
  std::string object_namespace, name;  // Of the Event.
  nlohmann::json object;               // The Event.
};

// INVALID_ARGUMENT / EVENT_MALFORMED names the field; PERMISSION_DENIED / NOT_YOUR_NODE: it is
// about another node than the one that it came from.
absl::StatusOr<NodeEvent> ReadNodeEvent(const NodeEventValue& value, absl::string_view node);

// The merge patch that brings the Event that is there to `event`, on condition that nobody changes
// it meanwhile; empty where it is as far or further. PERMISSION_DENIED / NOT_YOUR_EVENT: it is
// another object's or another node's.
absl::StatusOr<std::string> PlanEventUpdate(const nlohmann::json& present, const NodeEvent& event);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_NODE_EVENT_H_
