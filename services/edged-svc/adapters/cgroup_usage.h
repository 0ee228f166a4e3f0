// What the processes of a cgroup use, by the kernel's own counters.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CGROUP_USAGE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CGROUP_USAGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace skerry::edged {

struct CgroupUsage {
  absl::Duration cpu_time;   // Since the cgroup was made.
  int64_t memory_bytes = 0;  // The working set, as the kubelet has it: less inactive files.
  absl::Time time;           // `now` of the call.
};

// Of `path` ("/kubepods/podX") below `root` ("/sys/fs/cgroup"), with what is below it; in the one
// hierarchy of version 2 or those of version 1. nullopt: there is no such cgroup, or one of the
// counters is not there. Reads the kernel's memory; any thread may call it.
std::optional<CgroupUsage> ReadCgroupUsage(const std::string& root, const std::string& path,
                                           absl::Time now);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CGROUP_USAGE_H_
