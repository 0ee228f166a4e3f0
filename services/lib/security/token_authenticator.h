// Whose a bearer token is, as a server asks.
#ifndef SKERRY_SERVICES_LIB_SECURITY_TOKEN_AUTHENTICATOR_H_
#define SKERRY_SERVICES_LIB_SECURITY_TOKEN_AUTHENTICATOR_H_

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::security {

struct TokenIdentity {
  std::string user;                        // "system:serviceaccount:shop:billing"
  std::vector<std::string> organizations;  // What MethodPolicy knows; empty: it may do nothing.
};

// Any thread may call it.
class TokenAuthenticator {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<TokenIdentity>)>;

  virtual ~TokenAuthenticator() = default;
  // Does not block. `done` is called once, here or on another thread; not after the destructor.
  // UNAUTHENTICATED: nobody's token. UNAVAILABLE, RESOURCE_EXHAUSTED: it could not be found out.
  // Each has a reason.
  virtual void Authenticate(absl::string_view token, Done done) = 0;
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_TOKEN_AUTHENTICATOR_H_
