#include "services/router-svc/service/router_service.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::router {
namespace {

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr int kPayloadsMax = 8;  // Of 256 KiB each, below gRPC's 4 MiB.

absl::StatusOr<int64_t> IdOf(absl::string_view name) {
  absl::string_view text = name;
  int64_t id = 0;
  if (!absl::ConsumePrefix(&text, "deadLetters/") || !absl::SimpleAtoi(text, &id) || id < 1) {
    return InvalidField("name", name.substr(0, 128), "use deadLetters/{id}, as a list gives it")
        .Reason("NAME_INVALID");
  }
  return id;
}

// "namespaces/{namespace}/rules/{rule}" to "namespace/name".
absl::StatusOr<std::string> RuleOf(const std::string& name) {
  if (name.empty()) return std::string();
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() == 4 && parts[0] == "namespaces" && parts[2] == "rules") {
    const absl::StatusOr<ObjectKey> key = ObjectKey::Make(parts[1], parts[3]);
    if (key.ok()) return key->value();
  }
  return InvalidField("rule", name.substr(0, 512),
                      "use namespaces/{namespace}/rules/{rule}, or nothing for all")
      .Reason("NAME_INVALID");
}

void Fill(const DeadLetter& letter, bool payload, v1::DeadLetter& out) {
  const size_t slash = letter.rule.find('/');
  out.set_name(absl::StrCat("deadLetters/", letter.id));
  out.set_rule(absl::StrCat("namespaces/", letter.rule.substr(0, slash), "/rules/",
                            letter.rule.substr(slash + 1)));
  out.set_key(letter.key);
  out.set_node(letter.node);
  out.set_source(letter.source);
  out.set_content_type(letter.content_type);
  out.set_payload_bytes(static_cast<int64_t>(letter.payload.size()));
  if (payload) out.set_payload(letter.payload);
  *out.mutable_receive_time() = rpc::ToProto(letter.receive_time);
  *out.mutable_dead_time() = rpc::ToProto(letter.dead_time);
  out.set_error(letter.error);
}

}  // namespace

absl::Status RouterServiceImpl::List(const v1::ListDeadLettersRequest& request,
                                     v1::ListDeadLettersResponse& response) {
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat(request.page_size()),
                        "give 0 for 50, or up to 1000");
  }
  SKERRY_ASSIGN_OR_RETURN(const std::string rule, RuleOf(request.rule()));
  int size =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  if (request.payloads()) size = std::min(size, kPayloadsMax);
  const std::string scope = absl::StrCat("deadLetters/", rule);
  int64_t after = 0;
  if (!request.page_token().empty()) {
    SKERRY_ASSIGN_OR_RETURN(const std::string key,
                            watch::DecodePageToken(request.page_token(), scope));
    if (!absl::SimpleAtoi(key, &after)) {
      return Error(absl::StatusCode::kInvalidArgument, "not a page token of this list")
          .Reason("PAGE_TOKEN_INVALID");
    }
  }
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DeadLetter> letters,
                          store_.Letters(rule, after, static_cast<size_t>(size) + 1));
  for (const DeadLetter& letter : letters) {
    if (response.dead_letters_size() == size) {
      response.set_next_page_token(watch::EncodePageToken(scope, absl::StrCat(after)));
      break;
    }
    Fill(letter, request.payloads(), *response.add_dead_letters());
    after = letter.id;
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* RouterServiceImpl::ListDeadLetters(
    grpc::CallbackServerContext* context, const v1::ListDeadLettersRequest* request,
    v1::ListDeadLettersResponse* response) {
  return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
    return List(*request, *response);
  });
}

grpc::ServerUnaryReactor* RouterServiceImpl::ReplayDeadLetter(
    grpc::CallbackServerContext* context, const v1::ReplayDeadLetterRequest* request,
    v1::ReplayDeadLetterResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(const int64_t id, IdOf(request->name()));
    SKERRY_ASSIGN_OR_RETURN(const std::string rule, store_.Replay(id, clock_.Now()));
    wake_(rule);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RouterServiceImpl::DropDeadLetter(
    grpc::CallbackServerContext* context, const v1::DropDeadLetterRequest* request,
    v1::DropDeadLetterResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(const int64_t id, IdOf(request->name()));
    return store_.Drop(id);
  });
}

}  // namespace skerry::router
