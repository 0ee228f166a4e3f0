// skerryctl drain.
#ifndef SKERRY_TOOLS_SKERRYCTL_DRAIN_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_DRAIN_COMMAND_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"

namespace skerry::skerryctl {

struct DrainOptions {
  int nodes_per_second = 50;
  std::string timeout = "10m";
  bool undo = false;
};

// The way that a drain has gone, and the world around it.
struct DrainWatch {
  absl::FunctionRef<absl::StatusOr<cloudhub::v1::Hub>()> get_hub;
  absl::FunctionRef<void(absl::string_view line)> tell;  // When there is something new.
  absl::FunctionRef<void()> pause;                       // For a second or so.
  absl::FunctionRef<absl::Duration()> now;               // Monotonic.
};

// Returns when every node has a session at another replica. Else, an error that says which have
// none: after `timeout`, or because the drain was ended.
absl::Status AwaitDrained(const DrainWatch& watch, absl::Duration timeout);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DRAIN_COMMAND_H_
