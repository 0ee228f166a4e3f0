#include "tools/skerryctl/token_command.h"

#include <google/protobuf/util/time_util.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/security/join_tokens.h"
#include "tools/skerryctl/table.h"

namespace skerry::skerryctl {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kPrefix[] = "joinTokens/";

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

nlohmann::json JsonOfToken(const cloudhub::v1::JoinToken& token) {
  return {{"name", token.name()},
          {"createTime", TimeUtil::ToString(token.create_time())},
          {"expireTime", TimeUtil::ToString(token.expire_time())},
          {"node", token.node()},
          {"singleUse", token.single_use()},
          {"uses", token.uses()},
          {"revoked", token.revoked()},
          {"description", token.description()}};
}

}  // namespace

absl::StatusOr<absl::Duration> ParseTtl(absl::string_view text) {
  absl::Duration ttl;
  absl::string_view days = text;
  int64_t count = 0;
  if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count) && count > 0 &&
      count <= 365) {
    return absl::Hours(24) * count;
  }
  if (absl::ParseDuration(text, &ttl) && ttl > absl::ZeroDuration()) return ttl;
  return InvalidField("--ttl", text, "give a time such as 30m, 24h or 7d");
}

absl::StatusOr<cloudhub::v1::CreateJoinTokenRequest> MakeCreateRequest(
    const TokenCreateOptions& options) {
  cloudhub::v1::CreateJoinTokenRequest request;
  SKERRY_ASSIGN_OR_RETURN(absl::Duration ttl, ParseTtl(options.ttl));
  *request.mutable_ttl() = TimeUtil::SecondsToDuration(absl::ToInt64Seconds(ttl));
  if (!options.node.empty()) {
    SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(options.node));
    request.set_node(node.value());
  }
  request.set_single_use(options.single_use);
  request.set_nodes_known(options.nodes_known);
  request.set_description(options.description);
  return request;
}

std::string StateOf(const cloudhub::v1::JoinToken& token, absl::Time now) {
  if (token.revoked()) return "revoked";
  if (TimeOf(token.expire_time()) <= now) return "expired";
  return token.single_use() && token.uses() > 0 ? "used" : "valid";
}

std::string RenderTokens(const std::vector<cloudhub::v1::JoinToken>& tokens, absl::Time now,
                         Format format) {
  nlohmann::json list = nlohmann::json::array();
  for (const cloudhub::v1::JoinToken& token : tokens) {
    list.push_back(JsonOfToken(token));
    list.back()["state"] = StateOf(token, now);
  }
  return Render(format, {{"tokens", list}}, [&]() -> std::string {
    if (tokens.empty()) return "No tokens. Create one with: skerryctl token create\n";
    Table table({"ID", "STATE", "EXPIRES-IN", "NODE", "SINGLE-USE", "USES", "AGE", "DESCRIPTION"});
    for (const cloudhub::v1::JoinToken& token : tokens) {
      table.Add({std::string(absl::StripPrefix(token.name(), kPrefix)), StateOf(token, now),
                 Age(TimeOf(token.expire_time()) - now), token.node(),
                 token.single_use() ? "yes" : "no", absl::StrCat(token.uses()),
                 Age(now - TimeOf(token.create_time())), token.description()});
    }
    return table.Render();
  });
}

std::string RenderCreated(const cloudhub::v1::CreateJoinTokenResponse& response, Format format) {
  nlohmann::json created = JsonOfToken(response.token());
  created["token"] = response.secret();
  // On its own line and nothing else, for: TOKEN=$(skerryctl token create).
  return Render(format, created, [&] { return response.secret() + "\n"; });
}

std::string TokenNameOf(absl::string_view text) {
  absl::StatusOr<security::JoinToken> token = security::ParseJoinToken(text);
  if (token.ok()) return kPrefix + token->id;
  return absl::StartsWith(text, kPrefix) ? std::string(text) : absl::StrCat(kPrefix, text);
}

}  // namespace skerry::skerryctl
