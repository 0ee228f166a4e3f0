// Mounts under a folder.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MOUNTS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MOUNTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::edged {

// Mount points below `folder`, deepest last.
std::vector<std::string> MountsBelow(const std::string& folder);

// A tmpfs at `folder` (which exists), unless something is mounted there already. size_bytes_max 0:
// the kernel's default.
absl::Status MountTmpfs(const std::string& folder, int64_t size_bytes_max);

// Binds `volume`/`sub_path` at `target`, without ever leaving `volume` through a symbolic link.
// Missing folders are made with the volume's own mode.
absl::Status BindInside(const std::string& volume, const std::string& sub_path,
                        const std::string& target);

// Unmounts what is mounted at `path` itself; OK where nothing is.
absl::Status UnmountAt(const std::string& path);

// Unmounts everything below `folder`. FAILED_PRECONDITION names what could not be.
absl::Status UnmountBelow(const std::string& folder);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MOUNTS_H_
