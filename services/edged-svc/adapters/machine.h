// What this machine is and has, from /proc, /sys and /etc.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MACHINE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MACHINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/edged-svc/core/image_gc.h"
#include "services/edged-svc/core/node_status.h"

namespace skerry::edged {

// Fills everything but the runtime's fields. disk_folder: on the file system whose space counts.
// image_folder: on that of the images; empty: not known.
NodeFacts ReadMachine(const std::string& disk_folder, const std::string& image_folder);

// Of the file system that `folder` is on; available to whoever is not root.
absl::StatusOr<DiskUsage> ReadDisk(const std::string& folder);

// The address of the interface that the default route uses; without one (a box that is cut off) the
// first that is up and no bridge. Empty: none.
std::string FindAddress();

// Removes the empty cgroup `path` ("/kubepods/podX") in every hierarchy.
void RemoveCgroup(const std::string& path);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_MACHINE_H_
