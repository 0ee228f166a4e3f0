// The end of a file.
#ifndef SKERRY_TOOLS_SKERRYCTL_BUNDLE_LOG_TAIL_H_
#define SKERRY_TOOLS_SKERRYCTL_BUNDLE_LOG_TAIL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace skerry::skerryctl {

inline constexpr size_t kLogTailMax = 4 << 20;

// The last `lines` whole lines of a regular file, within its last kLogTailMax bytes. NOT_FOUND,
// PERMISSION_DENIED or INVALID_ARGUMENT name the file.
absl::StatusOr<std::string> ReadTail(const std::string& path, size_t lines);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BUNDLE_LOG_TAIL_H_
