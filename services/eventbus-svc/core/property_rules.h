// What KubeEdge allows as a twin property's name and value.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_PROPERTY_RULES_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_PROPERTY_RULES_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::eventbus {

inline constexpr size_t kPropertyNameBytesMax = 128;
inline constexpr size_t kPropertyValueBytesMax = 512;

// The start of `text` in printable ASCII, for messages: a hostile name must not fill them.
std::string Shown(absl::string_view text);

// INVALID_ARGUMENT, PROPERTY_NAME_INVALID, which says what is wrong where.
absl::Status CheckPropertyName(absl::string_view name);

// The same for a value, PROPERTY_VALUE_INVALID. `side` is "expected" or "actual". An empty value is
// allowed.
absl::Status CheckPropertyValue(absl::string_view property, absl::string_view side,
                                absl::string_view value);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_PROPERTY_RULES_H_
