// A hub's AdminService, for the commands of operators.
#ifndef SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "tools/skerryctl/operator_channel.h"

namespace skerry::skerryctl {

// Blocking calls with a deadline of 10 s each. Used by one thread.
class HubClient {
 public:
  static absl::StatusOr<std::unique_ptr<HubClient>> Connect(const Endpoint& options);

  absl::StatusOr<cloudhub::v1::CreateJoinTokenResponse> CreateToken(
      const cloudhub::v1::CreateJoinTokenRequest& request);
  // All pages.
  absl::StatusOr<std::vector<cloudhub::v1::JoinToken>> ListTokens();
  absl::Status RevokeToken(const std::string& name);
  absl::StatusOr<std::vector<cloudhub::v1::NodeSessionInfo>> ListSessions();
  absl::Status DrainHub(int nodes_per_second);
  absl::Status UndrainHub();
  absl::StatusOr<cloudhub::v1::Hub> GetHub();
  absl::Status SetNodeDisabled(const std::string& node, bool disabled);

 private:
  HubClient(Endpoint options, std::unique_ptr<cloudhub::v1::AdminService::Stub> stub);
  absl::Status Explain(const absl::Status& status) const;

  const Endpoint options_;
  std::unique_ptr<cloudhub::v1::AdminService::Stub> stub_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_
