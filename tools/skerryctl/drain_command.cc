#include "tools/skerryctl/drain_command.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

std::string Progress(const cloudhub::v1::Hub& hub) {
  return absl::StrCat(hub.name(), ": ", hub.session_count(), " nodes to move, ", hub.moving_count(),
                      " on their way");
}

absl::Status Failed(const cloudhub::v1::Hub& hub, absl::string_view reason, absl::string_view fix) {
  std::string seen = Progress(hub);
  if (!hub.moving_nodes().empty())
    absl::StrAppend(&seen, ": ", absl::StrJoin(hub.moving_nodes(), ", "),
                    hub.moving_count() > hub.moving_nodes().size() ? ", …" : "");
  return ToStatus({.exit_code = ExitCode::kFailed,
                   .step = "move the nodes",
                   .expected = "each of them at another replica",
                   .seen = seen,
                   .fix = std::string(fix),
                   .reason = std::string(reason)});
}

}  // namespace

absl::Status AwaitDrained(const DrainWatch& watch, absl::Duration timeout) {
  const absl::Duration deadline = watch.now() + timeout;
  std::string told;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(const cloudhub::v1::Hub hub, watch.get_hub());
    if (std::string line = Progress(hub); line != told) {
      watch.tell(line);
      told = std::move(line);
    }
    if (!hub.draining()) {
      return Failed(hub, "DRAIN_ENDED",
                    "the hub was restarted, or somebody has ended the drain: drain it again");
    }
    if (hub.session_count() == 0 && hub.moving_count() == 0) return absl::OkStatus();
    if (watch.now() >= deadline) {
      return Failed(hub, "DRAIN_UNFINISHED",
                    "is there another replica that is ready, and do the nodes reach it by the "
                    "address that they dial? They are also on their way while they are switched "
                    "off. skerryctl drain again waits on, skerryctl drain --undo ends the drain");
    }
    watch.pause();
  }
}

}  // namespace skerry::skerryctl
