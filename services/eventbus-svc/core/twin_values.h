// A device's twin in KubeEdge's shape. "Expected" and "actual" are KubeEdge's words for what the
// rest of this platform calls desired and reported.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_VALUES_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_VALUES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

struct TwinSide {
  std::optional<std::string> value;  // nullopt: never set, and not in the document.
  int64_t timestamp_ms = 0;          // Of the value, since 1970.
  bool operator==(const TwinSide&) const = default;
};

struct TwinProperty {
  TwinSide expected;
  TwinSide actual;
  bool optional = true;
  std::string type = "string";
  bool operator==(const TwinProperty&) const = default;
};

using TwinProperties = std::map<std::string, TwinProperty>;

// What a request did to a twin: the sides that it set; nullopt: deleted.
using TwinChanges = std::map<std::string, std::optional<TwinProperty>>;

// A property before and after a request; nullopt: it was or is not there.
struct PropertyTransition {
  std::optional<TwinProperty> last;
  std::optional<TwinProperty> current;
};

// A device as it is listed or announced.
struct DeviceSummary {
  DeviceName name;
  std::string description;
  std::string state;  // Empty: unknown so far.
  std::optional<absl::Time> last_online;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_VALUES_H_
