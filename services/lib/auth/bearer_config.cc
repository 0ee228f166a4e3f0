#include "services/lib/auth/bearer_config.h"

#include "absl/status/status.h"
#include "services/lib/auth/token_bindings.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::auth {

void AddBearer(config::Schema& schema, BearerConfig& config) {
  schema.Add("auth.bearer.enabled", &config.enabled,
             "callers of the gRPC API may show a token that the Kubernetes API knows instead of a "
             "certificate");
  schema.Add("auth.bearer.audience", &config.audience,
             "whom tokens must be for (kubectl create token --audience); empty: the API server");
  schema.Add("auth.bearer.users", &config.users,
             "<user>=<organization>: what users of tokens may do, as a certificate with that "
             "organization; system:serviceaccount:shop:billing=skerry:applications");
  schema.Add("auth.bearer.groups", &config.groups,
             "<group>=<organization>: the same for groups; "
             "system:serviceaccounts:shop=skerry:viewers");
  schema.Check([&config]() -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(const TokenBindings bindings,
                            TokenBindings::Parse(config.users, config.groups));
    if (config.enabled && bindings.empty()) {
      return InvalidField("auth.bearer.users", "",
                          "bind a user or a group (auth.bearer.groups): nobody could call with a "
                          "token");
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::auth
