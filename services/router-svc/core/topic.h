// MQTT topics, as far as rules need them.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CORE_TOPIC_H_
#define SKERRY_SERVICES_ROUTER_SVC_CORE_TOPIC_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::router {

inline constexpr size_t kTopicBytesMax = 320;

// INVALID_ARGUMENT / TOPIC_INVALID names `field`, its value and the fix.
absl::Status CheckTopic(absl::string_view field, absl::string_view topic);
absl::Status CheckTopicFilter(absl::string_view field, absl::string_view filter);

// `filter` and `topic` are valid. "+" is one level, "#" at the end the rest, also none.
bool MatchesTopic(absl::string_view filter, absl::string_view topic);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CORE_TOPIC_H_
