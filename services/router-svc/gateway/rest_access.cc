#include "services/router-svc/gateway/rest_access.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::router {
namespace {

// The token of "Bearer <token>", or empty.
std::string BearerToken(const http::Request& request) {
  constexpr absl::string_view kScheme = "bearer ";
  const std::string header = request.Header("authorization");
  if (!absl::StartsWithIgnoreCase(header, kScheme)) return "";
  return std::string(absl::StripAsciiWhitespace(absl::string_view(header).substr(kScheme.size())));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RestAccess>> RestAccess::Create(const Options& options, Clock& clock,
                                                               log::Logger log) {
  std::unique_ptr<RestAccess> access(new RestAccess(options, clock));
  if (options.token_file.empty()) return access;
  SKERRY_ASSIGN_OR_RETURN(
      access->tokens_,
      Tokens::Open(options.token_file, kubeapi::TokenTable::Parse,
                   [log, path = options.token_file](const absl::Status& status) {
                     if (status.ok()) return log.Info("token file read again", {{"path", path}});
                     log.Error("the token file can't be used, the last one stays in force", status);
                   }));
  return access;
}

absl::StatusOr<kubeapi::Caller> RestAccess::Authenticate(const http::Request& request) {
  if (request.client.has_value()) {
    return kubeapi::Caller{.name = request.client->common_name,
                           .groups = request.client->organizations};
  }
  const std::string token = BearerToken(request);
  if (tokens_ != nullptr && !token.empty()) {
    absl::StatusOr<kubeapi::Caller> caller = tokens_->Current()->Find(token, clock_.Now());
    if (caller.ok()) return caller;
  }
  return Error(absl::StatusCode::kUnauthenticated,
               "send a client certificate, or a bearer token that is known and has not expired")
      .Reason("CALLER_UNKNOWN");
}

absl::Status RestAccess::Check(const http::Request& request, const std::string& object_namespace) {
  SKERRY_ASSIGN_OR_RETURN(const kubeapi::Caller caller, Authenticate(request));
  const std::string own = absl::StrCat(options_.group, ":", object_namespace);
  for (const std::string& group : caller.groups) {
    if (group == options_.group || group == own) return absl::OkStatus();
  }
  return Error(absl::StatusCode::kPermissionDenied,
               absl::StrCat(caller.name, " is not in group ", options_.group, " or ",
                            own.substr(0, 320)))
      .Reason("NAMESPACE_DENIED");
}

}  // namespace skerry::router
