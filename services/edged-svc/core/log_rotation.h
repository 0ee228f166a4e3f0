// Which of a container's rotated logs stay, and what the next one is called.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_LOG_ROTATION_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_LOG_ROTATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edged {

// As the kubelet's, which log shippers know: "0.log.20260131-235959", and with ".gz" at the end
// once it is compressed. Names sort by age.

// log: the name of the current log, "0.log". Whether `name` is that of one rotated from it, or of
// what a compression was writing (".tmp").
bool IsRotated(absl::string_view log, absl::string_view name);

struct RotationPlan {
  std::vector<std::string> remove;  // Leftovers of compressions that were cut off; then the oldest.
  std::vector<std::string> compress;
};

// What to do before the current log joins the rotated ones: afterwards there are at most
// `files_max` files with the current one, and of the rotated only the newest is not compressed.
RotationPlan PlanRotation(std::vector<std::string> rotated, int64_t files_max);

// The rotated one that was the current log last and is not compressed; empty: there is none.
std::string Newest(const std::vector<std::string>& rotated);

// A name for the current log that sorts after all of `rotated`, also when the clock was set back.
std::string RotatedName(absl::string_view log, const std::vector<std::string>& rotated,
                        absl::Time now, absl::TimeZone zone);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_LOG_ROTATION_H_
