#include "services/lib/kubeclient/api_errors.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubestatus/status_codes.h"

namespace skerry::kubeclient {
namespace {

constexpr size_t kMessageMax = 2000;
constexpr size_t kCausesMax = 20;
constexpr char kRetryAfterKey[] = "retry_after_seconds";
constexpr char kHttpStatusKey[] = "http_status";
constexpr char kWatchErrorKey[] = "watch_error";

// "AlreadyExists" -> "ALREADY_EXISTS".
std::string UpperSnake(absl::string_view camel) {
  std::string out;
  for (size_t i = 0; i < camel.size() && out.size() < 63; ++i) {
    const auto c = static_cast<unsigned char>(camel[i]);
    if (!std::isalnum(c)) continue;
    if (i > 0 && std::isupper(c)) out += '_';
    out += static_cast<char>(std::toupper(c));
  }
  return out;
}

absl::Status Build(int http_status, const nlohmann::json& body, absl::string_view text,
                   std::optional<absl::Duration> retry_after, bool in_watch = false) {
  const std::string reason = kubeapi::StringAt(body, {"reason"});
  std::string message = kubeapi::StringAt(body, {"message"});
  if (message.empty()) {
    message = absl::StrCat("the API server answered HTTP ", http_status);
    if (!text.empty()) absl::StrAppend(&message, ": ", text.substr(0, 200));
  }
  Error error(kubestatus::StatusCodeOf(http_status, reason), message.substr(0, kMessageMax));
  const std::string name = UpperSnake(reason);
  error.Reason(name.empty() ? absl::StrCat("HTTP_", http_status) : name);
  error.Meta(kHttpStatusKey, absl::StrCat(http_status));
  if (in_watch) error.Meta(kWatchErrorKey, "true");
  size_t causes = 0;
  for (const nlohmann::json& cause : kubeapi::ArrayAt(body, {"details", "causes"})) {
    if (++causes > kCausesMax) break;
    error.Meta(absl::StrCat("cause.", kubeapi::StringAt(cause, {"field"})),
               kubeapi::StringAt(cause, {"message"}));
  }
  const int64_t seconds = kubeapi::IntAt(body, {"details", "retryAfterSeconds"});
  if (!retry_after.has_value() && seconds > 0) retry_after = absl::Seconds(seconds);
  if (retry_after.has_value()) {
    error.Meta(kRetryAfterKey, absl::StrCat(absl::ToInt64Seconds(*retry_after)));
  }
  return error;
}

}  // namespace

absl::Status StatusFromAnswer(int http_status, absl::string_view body,
                              std::optional<absl::Duration> retry_after) {
  absl::StatusOr<nlohmann::json> json = kubeapi::ParseJson(body);
  return Build(http_status, json.ok() ? *json : nlohmann::json(), body, retry_after);
}

absl::Status StatusFromWatchError(absl::string_view status_json) {
  absl::StatusOr<nlohmann::json> json = kubeapi::ParseJson(status_json);
  if (!json.ok()) return absl::InternalError("the API server sent a malformed error in a watch");
  const auto code = static_cast<int>(kubeapi::IntAt(*json, {"code"}, 500));
  return Build(code, *json, status_json, std::nullopt, /*in_watch=*/true);
}

bool MayResumeWatch(const absl::Status& status) {
  if (status.ok()) return true;
  const ErrorInfo info = GetErrorInfo(status);
  if (info.metadata.contains(kWatchErrorKey)) return false;
  const auto it = info.metadata.find(kHttpStatusKey);
  if (it == info.metadata.end()) {
    return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  }
  int http_status = 0;
  if (!absl::SimpleAtoi(it->second, &http_status)) return false;
  return http_status == 429 || (http_status >= 500 && http_status != 504);
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const ErrorInfo info = GetErrorInfo(status);
  const auto it = info.metadata.find(kRetryAfterKey);
  int64_t seconds = 0;
  if (it == info.metadata.end() || !absl::SimpleAtoi(it->second, &seconds) || seconds < 0) {
    return std::nullopt;
  }
  return absl::Seconds(seconds);
}

}  // namespace skerry::kubeclient
