// Authentication by client certificate or bearer token, authorization by the policy file.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_ACCESS_CONTROL_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_ACCESS_CONTROL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/auth/policy.h"
#include "services/lib/kubeapi/auth/service_account_tokens.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"

namespace skerry::kubeapi {

struct FileAccessOptions {
  std::string policy_file;
  std::string token_file;                            // Empty: none.
  ServiceAccountTokens* service_accounts = nullptr;  // Null: no tokens of theirs. Outlives this.
  // Paths that need no credentials; the policy must allow them to the group system:unauthenticated.
  std::vector<std::string> anonymous_paths = {"/livez", "/readyz", "/healthz", "/version"};
};

// Any thread may call it. A certificate's CN is the user, its Os are the groups, as with
// kube-apiserver; it goes before a token. Every authenticated caller is in system:authenticated.
// Both files are read again when they change; one that has become unreadable or wrong is logged and
// counted, and the last good one stays in use.
class FileAccessControl final : public AccessControl {
 public:
  // INVALID_ARGUMENT (with file and line) or FAILED_PRECONDITION: a file cannot be used.
  static absl::StatusOr<std::unique_ptr<FileAccessControl>> Create(const FileAccessOptions& options,
                                                                   log::Logger log,
                                                                   metrics::Registry& registry,
                                                                   Clock* clock);
  ~FileAccessControl() override;

  absl::StatusOr<Caller> Authenticate(const http::Request& request) override;
  // Tokens of the file are for this API server only.
  absl::StatusOr<TokenOwner> Review(absl::string_view token,
                                    const std::vector<std::string>& audiences) override;
  bool Allows(const Caller& caller, const RequestInfo& info) override;
  // As Allows, with the rule or the text of the refusal.
  Decision Authorize(const Caller& caller, const RequestInfo& info);

 private:
  struct Impl;
  explicit FileAccessControl(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_ACCESS_CONTROL_H_
