// skerryctl get: objects that this box has, with and without the cloud; and what the cloud has.
#ifndef SKERRY_TOOLS_SKERRYCTL_GET_GET_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_GET_GET_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/skerryctl/operator_channel.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

struct GetOptions {
  std::string kind;
  std::string name;  // Empty: all.
  std::string name_space = "default";
  bool all_namespaces = false;
  Format format = Format::kTable;
  std::string run_dir = "/run/skerry";
  // Of the cloud.
  std::string node;  // Only this one's.
  Endpoint hub, controller;
};

// Blocking; 3 s at most for each call to a service of the box, 10 s for one of the cloud. What a
// neighbour did not say is left out, and told by `notes`.
struct Got {
  std::string text;
  std::vector<std::string> notes;
};
absl::StatusOr<Got> GetFromBox(const GetOptions& options);
absl::StatusOr<Got> GetFromCloud(const GetOptions& options);

// Of the kind that is asked for on this box; for completion. Empty where a service is away.
std::vector<std::string> NamesOnBox(const GetOptions& options);
// The kinds that this box keeps; the usual ones where edge-meta-svc is away.
std::vector<std::string> KindsOnBox(const std::string& run_dir);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_GET_GET_COMMAND_H_
