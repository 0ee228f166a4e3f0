#include "services/servicebus-svc/core/local_post.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::servicebus {
namespace {

using Json = nlohmann::json;

Error Invalid(absl::string_view member, absl::string_view value, absl::string_view fix) {
  return InvalidField(member, value.substr(0, 256), fix).Reason("POST_INVALID");
}

absl::StatusOr<std::string> StringMember(const Json& document, const char* name) {
  const auto it = document.find(name);
  if (it == document.end()) return Invalid(name, "", "add it, as a string");
  if (!it->is_string()) return Invalid(name, it->type_name(), "use a string");
  return it->get<std::string>();
}

int HttpCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:  // KubeEdge's code of a URL that is not registered.
      return 400;
    case absl::StatusCode::kDeadlineExceeded:
      return 408;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

absl::StatusOr<LocalPost> ReadLocalPost(absl::string_view body,
                                        absl::FunctionRef<bool(const std::string& url)> is_target) {
  const absl::StatusOr<Json> document = kubeapi::ParseJson(body);
  if (!document.ok()) return Invalid("body", "", document.status().message());
  if (!document->is_object())
    return Invalid("body", document->type_name(),
                   "send an object with method, targetURL and payload");
  SKERRY_ASSIGN_OR_RETURN(const std::string method, StringMember(*document, "method"));
  if (method != "POST") return Invalid("method", method, "use POST");
  LocalPost post;
  SKERRY_ASSIGN_OR_RETURN(post.target_url, StringMember(*document, "targetURL"));
  if (post.target_url.size() > kHttpUrlBytesMax)
    return Invalid("targetURL", post.target_url,
                   absl::StrCat("use at most ", kHttpUrlBytesMax, " bytes"));
  if (!is_target(post.target_url)) {
    return Error(
               absl::StatusCode::kPermissionDenied,
               absl::StrCat("url ", post.target_url.substr(0, 256),
                            " is not allowed: make a rule of this node with it as its target_url"))
        .Reason("TARGET_NOT_ALLOWED");
  }
  if (const auto it = document->find("payload"); it != document->end() && !it->is_null()) {
    post.content_type = it->is_string() ? "text/plain; charset=utf-8" : "application/json";
    post.payload = it->is_string() ? it->get<std::string>() : kubeapi::DumpJson(*it);
  }
  if (post.payload.size() > kPayloadBytesMax) {
    return Invalid("payload", absl::StrCat(post.payload.size(), " bytes"),
                   absl::StrCat("send at most ", kPayloadBytesMax, " bytes"));
  }
  return post;
}

std::string LocalAnswer(const absl::Status& status) {
  const Json answer = {
      {"code", HttpCodeOf(status)},
      {"msg", status.ok() ? "stored, and sent to the cloud" : std::string(status.message())},
      {"body", ""}};
  return kubeapi::DumpJson(answer);
}

}  // namespace skerry::servicebus
