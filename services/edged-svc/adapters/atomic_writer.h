// Writes the files of a volume so that a reader sees all of the old ones or all of the new ones, as
// the kubelet does.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_ATOMIC_WRITER_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_ATOMIC_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/edged-svc/core/volume_plan.h"

namespace skerry::edged {

// Files live in a folder with a time in its name; "..data" is a symbolic link to it that is renamed
// over the old one, and what a container opens ("key") is a link to "..data/key". Unchanged files
// are not written. Paths in `files` have been checked to stay inside. group: where set, owns the
// files, which it may read. One writer per folder at a time.
absl::StatusOr<bool> WriteAtomically(const std::string& folder, const VolumeFiles& files,
                                     std::optional<int64_t> group);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_ATOMIC_WRITER_H_
