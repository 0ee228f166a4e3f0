// What a request means for a twin that is known, and what a twin's change is to MQTT clients.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_CHANGES_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_CHANGES_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/eventbus-svc/core/twin_values.h"

namespace skerry::eventbus {

// A value that a request gives, and the type that goes with it; "": none was ever given.
struct TypedValue {
  std::string value;
  std::string type;
  bool operator==(const TypedValue&) const = default;
};

struct TwinWrite {
  std::map<std::string, TypedValue> expected;
  std::map<std::string, TypedValue> actual;
  std::set<std::string> removed;  // A null in the request.

  bool empty() const { return expected.empty() && actual.empty() && removed.empty(); }
};

// As KubeEdge has it, a property that is there keeps its type, and a new one takes the request's.
// `known` may lack what is not known here: then no type is checked but the request's.
// INVALID_ARGUMENT / VALUE_TYPE with KubeEdge's words.
absl::StatusOr<TwinWrite> PlanWrite(const TwinUpdateRequest& request, const TwinProperties& known);

// OK where `value` is of KubeEdge's type `type`; of "" and "string" everything is.
absl::Status CheckValueType(absl::string_view type, absl::string_view value);

// Of `after`, what a request has set: the sides that it named. nullopt for what it removed.
TwinChanges ChangesOf(const TwinWrite& write, const TwinProperties& after);

// The properties that differ.
std::map<std::string, PropertyTransition> TransitionsBetween(const TwinProperties& last,
                                                             const TwinProperties& current);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_CHANGES_H_
