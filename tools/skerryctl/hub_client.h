// A hub's AdminService, for the commands of operators.
#ifndef SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "services/lib/security/tls.h"

namespace skerry::skerryctl {

struct HubOptions {
  std::string address = "127.0.0.1:10005";
  security::TlsFiles tls;   // An operator's certificate (O=skerry:operators).
  std::string server_name;  // In the hub's certificate; empty: the host of `address`.
};

// Blocking calls with a deadline of 10 s each. Used by one thread.
class HubClient {
 public:
  static absl::StatusOr<std::unique_ptr<HubClient>> Connect(const HubOptions& options);

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
  HubClient(HubOptions options, std::unique_ptr<cloudhub::v1::AdminService::Stub> stub);
  absl::Status Explain(const absl::Status& status) const;

  const HubOptions options_;
  std::unique_ptr<cloudhub::v1::AdminService::Stub> stub_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_HUB_CLIENT_H_
