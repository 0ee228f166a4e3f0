// The processes that are Skerry on this box, and what they use.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_PROCESSES_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_PROCESSES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/skerryctl/top/snapshot.h"

namespace skerry::skerryctl {

// Those that serve a socket in `run_dir` (services and mappers), and those that serve none:
// eventbus-svc and servicebus-svc, of whichever box they are. By name, then pid.
std::vector<ProcessUsage> BoxProcesses(const std::string& run_dir);

// The process that listens on a Unix socket; nullopt: none that can be seen.
std::optional<int64_t> ServerOf(const std::string& socket);

// nullopt: there is none (any more).
std::optional<ProcessUsage> ReadProcess(int64_t pid);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_PROCESSES_H_
