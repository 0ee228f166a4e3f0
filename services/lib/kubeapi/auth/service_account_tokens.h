// Tokens of ServiceAccounts: issued, and known again.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_SERVICE_ACCOUNT_TOKENS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_SERVICE_ACCOUNT_TOKENS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeapi/access.h"
#include "services/lib/kubeapi/token_issuer.h"
#include "services/lib/security/jwt.h"

namespace skerry::kubeapi {

// Issuer of every token, and the audience that is the API server, as with kubeadm.
inline constexpr char kApiAudience[] = "https://kubernetes.default.svc.cluster.local";

// JSON Web Tokens with the claims of Kubernetes' bound service account tokens. A token ends with
// its time, and with its ServiceAccount: one of the same name made later is another (by its uid).
// Any thread may call it; Find blocks on the store.
class ServiceAccountTokens final : public TokenIssuer {
 public:
  // The uid of a ServiceAccount that is there and not being deleted; NOT_FOUND.
  using FindUid =
      std::function<absl::StatusOr<std::string>(const std::string& ns, const std::string& name)>;

  ServiceAccountTokens(std::unique_ptr<security::JwtKey> key, FindUid find_uid, Clock& clock);

  absl::StatusOr<IssuedToken> Issue(const TokenOrder& order) override;
  // As AccessControl::Review. UNAVAILABLE: the store does not answer.
  absl::StatusOr<TokenOwner> Find(absl::string_view token,
                                  const std::vector<std::string>& audiences);

 private:
  const std::unique_ptr<security::JwtKey> key_;
  const FindUid find_uid_;
  Clock& clock_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_SERVICE_ACCOUNT_TOKENS_H_
