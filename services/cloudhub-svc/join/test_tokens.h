// Tokens and nodes that join, as the tests of stores take them.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TEST_TOKENS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TEST_TOKENS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

inline const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

inline NodeName Node(absl::string_view name) { return *NodeName::Parse(name); }

inline JoiningNode Joining(absl::string_view name, absl::string_view key_hash = "key") {
  return {.name = Node(name), .key_hash = std::string(key_hash)};
}

// Good for an hour from kNow, with the secret's hash "hash".
inline TokenRecord Token(absl::string_view id) {
  return {.id = std::string(id),
          .secret_hash = "hash",
          .create_time = kNow,
          .expire_time = kNow + absl::Hours(1)};
}

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TEST_TOKENS_H_
