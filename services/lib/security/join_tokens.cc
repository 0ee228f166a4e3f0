#include "services/lib/security/join_tokens.h"

#include <openssl/rand.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/openssl_util.h"
#include "services/lib/security/x509.h"

namespace skerry::security {
namespace {

constexpr absl::string_view kHex = "0123456789abcdef";
constexpr absl::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr size_t kHashSize = 64;
constexpr size_t kIdSize = 12;
constexpr size_t kSecretSize = 32;

Error Malformed(absl::string_view why) {
  return Error(
             absl::StatusCode::kInvalidArgument,
             absl::StrCat("not a join token: ", why, "; it reads <sha256 of the CA>.<id>.<secret>"))
      .Reason("TOKEN_MALFORMED");
}

bool IsOf(absl::string_view text, size_t size, absl::string_view alphabet) {
  return text.size() == size && text.find_first_not_of(alphabet) == absl::string_view::npos;
}

absl::StatusOr<std::string> RandomText(size_t size) {
  constexpr unsigned kUnbiased = 256 / 36 * 36;
  std::string text;
  while (text.size() < size) {
    unsigned char bytes[64];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) return OpensslFailure("read random bytes");
    for (unsigned char byte : bytes) {
      if (byte < kUnbiased && text.size() < size)
        text.push_back(kAlphabet[byte % kAlphabet.size()]);
    }
  }
  return text;
}

}  // namespace

absl::StatusOr<JoinToken> ParseJoinToken(absl::string_view text) {
  std::vector<absl::string_view> parts = absl::StrSplit(text.substr(0, 1024), '.');
  if (parts.size() != 3) return Malformed(absl::StrCat("it has ", parts.size(), " parts, not 3"));
  if (!IsOf(parts[0], kHashSize, kHex)) return Malformed("part 1 is not 64 lower-case hex digits");
  if (!IsOf(parts[1], kIdSize, kAlphabet))
    return Malformed("part 2 is not an id of 12 letters and digits");
  if (!IsOf(parts[2], kSecretSize, kAlphabet))
    return Malformed("part 3 is not a secret of 32 letters and digits");
  return JoinToken{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

std::string FormatJoinToken(const JoinToken& token) {
  return absl::StrCat(token.ca_hash, ".", token.id, ".", token.secret);
}

absl::StatusOr<JoinToken> MakeJoinToken(absl::string_view ca_hash) {
  JoinToken token;
  token.ca_hash = std::string(ca_hash);
  SKERRY_ASSIGN_OR_RETURN(token.id, RandomText(kIdSize));
  SKERRY_ASSIGN_OR_RETURN(token.secret, RandomText(kSecretSize));
  return token;
}

std::string HashJoinSecret(absl::string_view secret) { return Sha256Hex(secret); }

}  // namespace skerry::security
