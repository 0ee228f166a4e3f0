// skerryctl token create|list|revoke.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOKEN_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_TOKEN_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

struct TokenCreateOptions {
  std::string ttl = "24h";
  std::string node;
  bool single_use = false;
  bool nodes_known = false;
  std::string description;
};

// "24h", "30m", "7d". INVALID_ARGUMENT for others.
absl::StatusOr<absl::Duration> ParseTtl(absl::string_view text);
absl::StatusOr<cloudhub::v1::CreateJoinTokenRequest> MakeCreateRequest(
    const TokenCreateOptions& options);

// "valid", "expired", "used", "revoked".
std::string StateOf(const cloudhub::v1::JoinToken& token, absl::Time now);
std::string RenderTokens(const std::vector<cloudhub::v1::JoinToken>& tokens, absl::Time now,
                         Format format);
std::string RenderCreated(const cloudhub::v1::CreateJoinTokenResponse& response, Format format);

// What `token revoke` takes: an id, "joinTokens/{id}", or a whole token (only its id is sent).
std::string TokenNameOf(absl::string_view text);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOKEN_COMMAND_H_
