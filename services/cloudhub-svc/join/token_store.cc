#include "services/cloudhub-svc/join/token_store.h"

#include <openssl/crypto.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

bool SameHash(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Error Refused(absl::string_view reason, absl::string_view message) {
  return Error(absl::StatusCode::kPermissionDenied, message).Reason(reason);
}

}  // namespace

absl::Status CheckTokenIsGood(const std::optional<TokenRecord>& token,
                              absl::string_view secret_hash, absl::Time now) {
  if (!token.has_value() || !SameHash(token->secret_hash, secret_hash)) {
    return Error(absl::StatusCode::kUnauthenticated, "this hub knows no such token")
        .Reason("TOKEN_UNKNOWN");
  }
  if (token->revoked) return Refused("TOKEN_REVOKED", "the token was revoked");
  if (token->expire_time <= now) {
    return Refused("TOKEN_EXPIRED",
                   absl::StrCat("the token expired at ",
                                absl::FormatTime(token->expire_time, absl::UTCTimeZone())))
        .Meta("expire_time", absl::FormatTime(token->expire_time, absl::UTCTimeZone()));
  }
  if (token->single_use && token->uses > 0) {
    return Refused("TOKEN_USED", "the token was for a single use and has been used");
  }
  return absl::OkStatus();
}

absl::Status CheckToken(const std::optional<TokenRecord>& token, absl::string_view secret_hash,
                        const NodeName& node, absl::Time now) {
  SKERRY_RETURN_IF_ERROR(CheckTokenIsGood(token, secret_hash, now));
  if (token->node.has_value() && *token->node != node) {
    return Refused("TOKEN_WRONG_NODE",
                   absl::StrCat("the token is for another node than '", node.value(), "'"))
        .Meta("node", node.value());
  }
  return absl::OkStatus();
}

absl::Status CheckNodeKey(const TokenRecord& token, absl::string_view joined_key_hash,
                          bool nodes_known, const JoiningNode& node) {
  if (joined_key_hash == absl::string_view(node.key_hash)) return absl::OkStatus();
  if (token.node.has_value() && *token.node == node.name) return absl::OkStatus();
  if (joined_key_hash.empty()) {
    if (nodes_known) return absl::OkStatus();
    return Refused("NODES_NOT_KNOWN",
                   absl::StrCat("the hub has lost which nodes have joined: '", node.name.value(),
                                "' may be one of them, and the token was not made for it"))
        .Meta("node", node.name.value());
  }
  return Refused("NODE_ALREADY_JOINED",
                 absl::StrCat("node '", node.name.value(),
                              "' has joined with another key, and the token was not made for it"))
      .Meta("node", node.name.value());
}

absl::StatusOr<Redemption> CheckRedemption(const std::optional<TokenRecord>& token,
                                           absl::string_view secret_hash,
                                           const std::optional<NodeRecord>& joined,
                                           bool nodes_known, const JoiningNode& node,
                                           absl::Time now) {
  SKERRY_RETURN_IF_ERROR(CheckToken(token, secret_hash, node.name, now));
  const NodeRecord known = joined.value_or(NodeRecord());
  if (known.disabled) return NodeDisabled(node.name);
  SKERRY_RETURN_IF_ERROR(CheckNodeKey(*token, known.key_hash, nodes_known, node));
  Redemption redemption;
  if (known.key_hash != node.key_hash) redemption.replaced_key_hash = known.key_hash;
  return redemption;
}

absl::Status RequestRepeated(absl::string_view request_id) {
  return Error(absl::StatusCode::kAlreadyExists, "a token was already created for this request id")
      .Reason("REQUEST_REPEATED")
      .Meta("request_id", request_id);
}

absl::Status TokenNotFound(absl::string_view id) {
  return Error(absl::StatusCode::kNotFound, "this hub knows no such token")
      .Reason("TOKEN_UNKNOWN")
      .Meta("id", id);
}

}  // namespace skerry::cloudhub
