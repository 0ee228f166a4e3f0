// What one look at a box has seen.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_SNAPSHOT_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_SNAPSHOT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/edged/v1/edged_service.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "api/skerry/meta/v1/meta_service.pb.h"

namespace skerry::skerryctl {

struct ProcessUsage {
  std::string name;
  int64_t pid = 0;
  int64_t start_ticks = 0;  // With the pid, it is one process for good.
  absl::Duration cpu_time;
  int64_t resident_bytes = 0;
  std::optional<int64_t> proportional_bytes;  // PSS; absent where we may not read it.
};

struct BoxSnapshot {
  absl::Time time;           // For ages.
  absl::Duration monotonic;  // For rates.
  absl::StatusOr<edgehub::v1::EdgeHubStatus> hub = absl::UnknownError("not asked");
  absl::StatusOr<meta::v1::MetaStatus> meta = absl::UnknownError("not asked");
  absl::StatusOr<std::vector<edged::v1::RunningPod>> pods = absl::UnknownError("not asked");
  absl::StatusOr<std::map<std::string, int>> devices =
      absl::UnknownError("not asked");  // By state.
  std::optional<absl::Duration> rtt;    // Of the link's connection, as the kernel smooths it.
  std::vector<ProcessUsage> processes;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_SNAPSHOT_H_
