// What a call of a service may look like.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_CORE_CALL_CHECK_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_CORE_CALL_CHECK_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::servicebus {

inline constexpr size_t kCallHeadersMax = 64;
inline constexpr size_t kCallHeaderBytesMax = 16u << 10;

bool IsCallMethod(absl::string_view method);

// INVALID_ARGUMENT / CALL_INVALID names the field, its value and the fix. The URL is
// ParseHttpUrl's, the shape of a header the HTTP client's to check.
absl::Status CheckCall(absl::string_view method,
                       const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_CORE_CALL_CHECK_H_
