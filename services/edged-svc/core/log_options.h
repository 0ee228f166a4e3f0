// Which part of a container's log is asked for, and how.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_LOG_OPTIONS_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_LOG_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::edged {

// As Kubernetes' PodLogOptions.
struct LogOptions {
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  absl::Time since = absl::InfinitePast();
  std::optional<int64_t> tail_lines;
  std::optional<int64_t> limit_bytes;
};

// From the query of /containerLogs. INVALID_ARGUMENT names the parameter.
absl::StatusOr<LogOptions> ParseLogOptions(
    const std::vector<std::pair<std::string, std::string>>& query, absl::Time now);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_LOG_OPTIONS_H_
