// Tokens of ServiceAccounts, as the API server needs them; services/lib/kubeapi/auth implements it.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_TOKEN_ISSUER_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_TOKEN_ISSUER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::kubeapi {

struct TokenOrder {
  std::string ns;
  std::string name;  // Of the ServiceAccount.
  std::string uid;
  std::vector<std::string> audiences;  // Empty: this API server.
  absl::Duration lifetime;
};

struct IssuedToken {
  std::string token;
  std::vector<std::string> audiences;
  absl::Time expires;
};

// Any thread may call it.
class TokenIssuer {
 public:
  virtual ~TokenIssuer() = default;
  virtual absl::StatusOr<IssuedToken> Issue(const TokenOrder& order) = 0;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_TOKEN_ISSUER_H_
