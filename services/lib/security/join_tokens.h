// Join tokens: what an operator carries to a box so that the box and the hub can trust each other.
#ifndef SKERRY_SERVICES_LIB_SECURITY_JOIN_TOKENS_H_
#define SKERRY_SERVICES_LIB_SECURITY_JOIN_TOKENS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::security {

// "<sha256 hex of the CA's DER>.<id>.<secret>". The hash lets the box know the hub before it says
// anything, the secret lets the hub know the box. The id is no secret; it names the token in lists
// and logs.
struct JoinToken {
  std::string ca_hash;  // 64 lower-case hex digits.
  std::string id;       // 12 of [a-z0-9].
  std::string secret;   // 32 of [a-z0-9]: 165 bits.
};

// INVALID_ARGUMENT / TOKEN_MALFORMED says which part is wrong, and never repeats the secret.
absl::StatusOr<JoinToken> ParseJoinToken(absl::string_view text);
std::string FormatJoinToken(const JoinToken& token);

// With a new id and secret, from the system's random source.
absl::StatusOr<JoinToken> MakeJoinToken(absl::string_view ca_hash);

// What a store keeps instead of the secret. Plain SHA-256 is enough: the secret is random, not a
// password.
std::string HashJoinSecret(absl::string_view secret);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_JOIN_TOKENS_H_
