#include "services/cloudhub-svc/join/token_admin.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "api/skerry/cloudhub/v1/admin_service.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/join_tokens.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::Duration kDefaultTtl = absl::Hours(24);
constexpr absl::Duration kTtlMin = absl::Minutes(1);
constexpr absl::Duration kTtlMax = absl::Hours(24 * 365);
constexpr size_t kDescriptionMax = 200;
constexpr size_t kRequestIdMax = 64;
constexpr int kPageDefault = 50;
constexpr int kPageMax = 1000;
constexpr char kNamePrefix[] = "joinTokens/";

absl::StatusOr<absl::Duration> TtlOf(const v1::CreateJoinTokenRequest& request) {
  if (!request.has_ttl()) return kDefaultTtl;
  absl::Duration ttl =
      absl::Seconds(request.ttl().seconds()) + absl::Nanoseconds(request.ttl().nanos());
  if (ttl < kTtlMin || ttl > kTtlMax) {
    return InvalidField("ttl", absl::FormatDuration(ttl), "give 1 minute to 365 days");
  }
  return ttl;
}

void Fill(const TokenRecord& record, v1::JoinToken& token) {
  using google::protobuf::util::TimeUtil;
  token.set_name(absl::StrCat(kNamePrefix, record.id));
  *token.mutable_create_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(record.create_time));
  *token.mutable_expire_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(record.expire_time));
  if (record.node.has_value()) token.set_node(record.node->value());
  token.set_single_use(record.single_use);
  token.set_uses(record.uses);
  token.set_revoked(record.revoked);
  token.set_description(record.description);
}

// Until the hub knows all its nodes again, a token for any name could take over one of them.
absl::Status CheckNodesKnown(TokenStore& tokens) {
  SKERRY_ASSIGN_OR_RETURN(bool known, tokens.NodesKnown());
  if (known) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition,
               "node is empty, but the hub has lost which nodes have joined, and a token for any "
               "name could take over one that has not linked since: give a node, or nodes_known "
               "once every node has linked")
      .Reason("NODES_NOT_KNOWN");
}

}  // namespace

TokenAdmin::TokenAdmin(TokenStore& tokens, absl::string_view ca_hash, Clock& clock,
                       const log::Logger& log)
    : tokens_(tokens), ca_hash_(ca_hash), clock_(clock), log_(log) {}

absl::Status TokenAdmin::Create(const v1::CreateJoinTokenRequest& request,
                                absl::string_view operator_name,
                                v1::CreateJoinTokenResponse& response) {
  TokenRecord record;
  record.create_time = clock_.Now();
  SKERRY_ASSIGN_OR_RETURN(absl::Duration ttl, TtlOf(request));
  record.expire_time = record.create_time + ttl;
  if (!request.node().empty()) {
    SKERRY_ASSIGN_OR_RETURN(record.node, NodeName::Parse(request.node()));
  }
  if (request.description().size() > kDescriptionMax) {
    return InvalidField("description", request.description(), "give at most 200 characters");
  }
  if (request.request_id().size() > kRequestIdMax) {
    return InvalidField("request_id", request.request_id(), "give a UUID");
  }
  record.single_use = request.single_use();
  record.description = request.description();
  record.request_id = request.request_id();
  if (request.nodes_known()) {
    SKERRY_RETURN_IF_ERROR(tokens_.SetNodesKnown());
    log_.Warning("an operator says that every node is known", {{"operator", operator_name}});
  }
  if (!record.node.has_value()) SKERRY_RETURN_IF_ERROR(CheckNodesKnown(tokens_));
  SKERRY_ASSIGN_OR_RETURN(security::JoinToken token, security::MakeJoinToken(ca_hash_));
  record.id = token.id;
  record.secret_hash = security::HashJoinSecret(token.secret);
  SKERRY_RETURN_IF_ERROR(tokens_.Create(record));
  log_.Info("join token created", {{"token", record.id},
                                   {"operator", operator_name},
                                   {"expire_time", record.expire_time},
                                   {"single_use", record.single_use},
                                   {"node", request.node()}});
  Fill(record, *response.mutable_token());
  response.set_secret(security::FormatJoinToken(token));
  return absl::OkStatus();
}

absl::Status TokenAdmin::List(const v1::ListJoinTokensRequest& request,
                              v1::ListJoinTokensResponse& response) {
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat(request.page_size()), "give 0 to 1000");
  }
  int page = request.page_size() == 0 ? kPageDefault : std::min(request.page_size(), kPageMax);
  absl::string_view after = request.page_token();
  if (!after.empty() && !absl::ConsumePrefix(&after, "v1:")) {
    return InvalidField("page_token", request.page_token(), "give the token of the page before");
  }
  SKERRY_ASSIGN_OR_RETURN(std::vector<TokenRecord> records, tokens_.List(after, page + 1));
  bool more = records.size() > static_cast<size_t>(page);
  if (more) records.pop_back();
  for (const TokenRecord& record : records) Fill(record, *response.add_tokens());
  if (more) response.set_next_page_token(absl::StrCat("v1:", records.back().id));
  return absl::OkStatus();
}

absl::Status TokenAdmin::Revoke(const v1::RevokeJoinTokenRequest& request,
                                absl::string_view operator_name) {
  absl::string_view id = request.name();
  if (!absl::ConsumePrefix(&id, kNamePrefix) || id.empty()) {
    return InvalidField("name", request.name(), "give joinTokens/{id}");
  }
  SKERRY_RETURN_IF_ERROR(tokens_.Revoke(id));
  log_.Info("join token revoked", {{"token", id}, {"operator", operator_name}});
  return absl::OkStatus();
}

}  // namespace skerry::cloudhub
