#include "services/lib/kubeapi/auth/token_table.h"

#include <openssl/sha.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/auth/yaml_fields.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kTokenMin = 16;
constexpr size_t kHashDigits = 2 * SHA256_DIGEST_LENGTH;

std::string HashOf(absl::string_view token) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

absl::StatusOr<std::string> ReadHash(const YAML::Node& node) {
  std::string token;
  std::string hash;
  SKERRY_RETURN_IF_ERROR(ReadString(node, "token", token));
  SKERRY_RETURN_IF_ERROR(ReadString(node, "sha256", hash));
  if (token.empty() == hash.empty()) return YamlError(node, "either token or sha256 is needed");
  if (hash.empty()) {
    if (token.size() < kTokenMin)
      return YamlError(node, absl::StrCat("the token has less than ", kTokenMin, " characters"));
    return HashOf(token);
  }
  hash = absl::AsciiStrToLower(hash);
  if (hash.size() != kHashDigits || !std::all_of(hash.begin(), hash.end(), [](unsigned char c) {
        return absl::ascii_isxdigit(c);
      })) {
    return YamlError(node, "sha256 must have 64 hexadecimal digits");
  }
  return hash;
}

}  // namespace

absl::StatusOr<TokenTable> TokenTable::Parse(absl::string_view yaml) {
  TokenTable table;
  SKERRY_RETURN_IF_ERROR(ReadYamlText(yaml, [&](const YAML::Node& root) -> absl::Status {
    SKERRY_RETURN_IF_ERROR(CheckKeys(root, {"tokens"}));
    const YAML::Node list = root["tokens"];
    if (!list.IsSequence()) return YamlError(root, "tokens must be a list");
    for (const YAML::Node& node : list) {
      SKERRY_RETURN_IF_ERROR(CheckKeys(node, {"token", "sha256", "user", "groups", "expires"}));
      SKERRY_ASSIGN_OR_RETURN(std::string hash, ReadHash(node));
      Entry entry;
      SKERRY_RETURN_IF_ERROR(ReadString(node, "user", entry.caller.name));
      if (entry.caller.name.empty()) return YamlError(node, "user is missing");
      SKERRY_RETURN_IF_ERROR(ReadStrings(node, "groups", entry.caller.groups));
      entry.caller.groups.emplace_back("system:authenticated");
      std::string expires;
      SKERRY_RETURN_IF_ERROR(ReadString(node, "expires", expires));
      std::string error;
      if (!expires.empty() &&
          !absl::ParseTime(absl::RFC3339_full, expires, &entry.expires, &error)) {
        return YamlError(node, "expires must be a time such as 2027-01-31T00:00:00Z");
      }
      if (!table.by_hash_.emplace(std::move(hash), std::move(entry)).second) {
        return YamlError(node, "this token is given twice");
      }
    }
    return absl::OkStatus();
  }));
  return table;
}

absl::StatusOr<Caller> TokenTable::Find(absl::string_view token, absl::Time now) const {
  const auto found = by_hash_.find(HashOf(token));
  if (found == by_hash_.end()) return absl::UnauthenticatedError("the token is not known");
  if (now >= found->second.expires) return absl::UnauthenticatedError("the token has expired");
  return found->second.caller;
}

}  // namespace skerry::kubeapi
