// Asks the ops port of a service of this machine for its metrics.
#ifndef SKERRY_TOOLS_SKERRYCTL_BUNDLE_METRICS_PAGE_H_
#define SKERRY_TOOLS_SKERRYCTL_BUNDLE_METRICS_PAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

inline constexpr size_t kMetricsPageMax = 2 << 20;

// The text of /metrics at "127.0.0.1:9100", cut at kMetricsPageMax. INVALID_ARGUMENT for another
// machine, UNAVAILABLE / METRICS_UNAVAILABLE where nobody answers 200 within the time. Blocks.
absl::StatusOr<std::string> FetchMetrics(absl::string_view address, absl::Duration within);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BUNDLE_METRICS_PAGE_H_
