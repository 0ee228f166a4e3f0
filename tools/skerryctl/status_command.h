// skerryctl status: what the services of this box, or a hub, say of themselves.
#ifndef SKERRY_TOOLS_SKERRYCTL_STATUS_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_STATUS_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "api/skerry/edged/v1/edged_service.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "api/skerry/meta/v1/meta_service.pb.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

// The three services of a box; each may be unreachable by itself.
struct BoxStatus {
  absl::StatusOr<edgehub::v1::EdgeHubStatus> edgehub = absl::UnknownError("not asked");
  absl::StatusOr<meta::v1::MetaStatus> meta = absl::UnknownError("not asked");
  absl::StatusOr<edged::v1::EdgedStatus> edged = absl::UnknownError("not asked");
};

// gRPC targets: "unix:/run/skerry/edgehub.sock". An empty one is not asked.
struct BoxAddresses {
  std::string edgehub;
  std::string meta;
  std::string edged;
};
// At most 3 s each.
BoxStatus AskBox(const BoxAddresses& addresses);
// Asks over <run_dir>/{edgehub,edge-meta,edged}.sock.
BoxStatus AskBox(const std::string& run_dir);

// Healthy: every service answered, the link is up, the types are synced, and the runtime is ready.
bool IsHealthy(const BoxStatus& status);
std::string RenderBox(const BoxStatus& status, absl::Time now, Format format);
std::string RenderSessions(const std::vector<cloudhub::v1::NodeSessionInfo>& sessions,
                           absl::Time now, Format format);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_STATUS_COMMAND_H_
