// Which MQTT subscriptions are of use beside others.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPIC_FILTERS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPIC_FILTERS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::eventbus {

// Whether `filter` matches every topic that `other` matches (MQTT 3.1.1, 4.7). Both are valid
// filters.
bool FilterCovers(absl::string_view filter, absl::string_view other);

// Those of `wanted` that neither one of `fixed` nor another one of `wanted` covers: with more, a
// broker may send a message that two match twice (MQTT 3.1.1, 3.3.5).
std::set<std::string> FiltersBeside(const std::vector<std::string>& fixed,
                                    const std::set<std::string>& wanted);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPIC_FILTERS_H_
