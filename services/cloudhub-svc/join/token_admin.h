// The token methods of AdminService, as plain functions: the gRPC class calls them on a pool.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_ADMIN_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_ADMIN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::cloudhub::v1 {
class CreateJoinTokenRequest;
class CreateJoinTokenResponse;
class ListJoinTokensRequest;
class ListJoinTokensResponse;
class RevokeJoinTokenRequest;
}  // namespace skerry::cloudhub::v1

namespace skerry::cloudhub {

// Any thread may call it. `tokens` and `clock` outlive it. `operator_name`: common name of the
// caller, for the log, which tells who made and revoked which token.
class TokenAdmin {
 public:
  // ca_hash: CertificateAuthority::hash().
  TokenAdmin(TokenStore& tokens, absl::string_view ca_hash, Clock& clock, const log::Logger& log);

  absl::Status Create(const v1::CreateJoinTokenRequest& request, absl::string_view operator_name,
                      v1::CreateJoinTokenResponse& response);
  absl::Status List(const v1::ListJoinTokensRequest& request, v1::ListJoinTokensResponse& response);
  absl::Status Revoke(const v1::RevokeJoinTokenRequest& request, absl::string_view operator_name);

 private:
  TokenStore& tokens_;
  const std::string ca_hash_;
  Clock& clock_;
  const log::Logger log_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_ADMIN_H_
