// Bearer tokens and whose they are, from a YAML file.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_TOKEN_TABLE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_TOKEN_TABLE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/access.h"

namespace skerry::kubeapi {

// Immutable: any thread may call it. Keeps hashes only.
class TokenTable {
 public:
  // tokens:
  //   - token: 7d0c…                     # or sha256: the hash in hex, so that the file is no
  //   secret
  //     user: ci
  //     groups: [deployers]
  //     expires: 2027-01-31T00:00:00Z    # optional
  // Tokens have at least 16 characters. INVALID_ARGUMENT names the line, never a token.
  static absl::StatusOr<TokenTable> Parse(absl::string_view yaml);

  // UNAUTHENTICATED: unknown or expired. The caller is in system:authenticated besides its groups.
  absl::StatusOr<Caller> Find(absl::string_view token, absl::Time now) const;

 private:
  struct Entry {
    Caller caller;
    absl::Time expires = absl::InfiniteFuture();
  };
  std::map<std::string, Entry>
      by_hash_;  // Looked up by hash, so the time it takes tells nothing about tokens.
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_TOKEN_TABLE_H_
