// The requests that devices publish to KubeEdge's topics, from JSON to values.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_REQUEST_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_REQUEST_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::eventbus {

inline constexpr size_t kPayloadBytesMax = 256 << 10;
inline constexpr size_t kPayloadDepthMax = 32;  // A request has five levels.
inline constexpr size_t kPropertiesMax = 1000;  // In one request.

// The event id is the client's own name for the request and goes into the answer. It is what could
// be read of a refused request, too: empty only if it is absent, no string, or behind the fault.
template <typename Request>
struct Parsed {
  std::string event_id;
  absl::StatusOr<Request> request;
};

struct PropertyUpdate {
  std::optional<std::string> expected;
  std::optional<std::string> actual;
  std::optional<bool> optional;
  std::string type;  // "int", "float", ...; empty: not given.
  bool operator==(const PropertyUpdate&) const = default;
};

struct TwinUpdateRequest {
  std::map<std::string, std::optional<PropertyUpdate>> properties;  // nullopt: delete it.
};
struct TwinGetRequest {};
struct MembershipGetRequest {};

struct StateUpdateRequest {
  std::string state;      // As the device wrote it.
  bool connected = true;  // "online" or "ok": the device was there at that time.
};

// Every error is INVALID_ARGUMENT (KubeEdge's 400) and its message is the answer's reason. Metadata
// "detail" says more where the message is KubeEdge's own text. Of a repeated JSON member the last
// one counts. Members that KubeEdge does not know, and all timestamps, are ignored whatever they
// hold. None of these throws.

// In this order: JSON (REQUEST_UNREADABLE, JSON_TOO_DEEP, PAYLOAD_TOO_LARGE, TOO_MANY_PROPERTIES),
// a twin (TWIN_MISSING), each property's name (PROPERTY_NAME_INVALID), each value
// (PROPERTY_VALUE_INVALID); among several, the first by name.
Parsed<TwinUpdateRequest> ParseTwinUpdate(absl::string_view payload);

Parsed<TwinGetRequest> ParseTwinGet(absl::string_view payload);

// KubeEdge ignores states that it does not know; here they are STATE_INVALID. It has no topic for
// an answer.
Parsed<StateUpdateRequest> ParseStateUpdate(absl::string_view payload);

Parsed<MembershipGetRequest> ParseMembershipGet(absl::string_view payload);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TWIN_REQUEST_H_
