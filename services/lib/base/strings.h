// Bridges between Debian's absl::string_view (its own type) and std::string_view.
#ifndef SKERRY_SERVICES_LIB_BASE_STRINGS_H_
#define SKERRY_SERVICES_LIB_BASE_STRINGS_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace skerry {

inline std::string_view ToStd(absl::string_view v) { return {v.data(), v.size()}; }
inline absl::string_view ToAbsl(std::string_view v) { return {v.data(), v.size()}; }

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_STRINGS_H_
