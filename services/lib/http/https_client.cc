#include "services/lib/http/https_client.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/call_time.h"
#include "services/lib/http/caller.h"
#include "services/lib/http/client_connection.h"
#include "services/lib/http/end_to_end.h"
#include "services/lib/http/request_head.h"

namespace skerry::http {
namespace {

constexpr size_t kBodyBytesMax = 256u << 10;
constexpr size_t kHeadersBytesMax = 64u << 10;

absl::StatusOr<Headers> ReadHeaders(const std::vector<std::string>& lines) {
  Headers headers;
  for (absl::string_view line : lines) {
    const size_t colon = line.find(':');
    const absl::string_view name = line.substr(0, colon);
    const absl::string_view value =
        colon == absl::string_view::npos ? "" : absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (colon == absl::string_view::npos || !IsHeaderName(name) || !IsHeaderValue(value))
      return InvalidField("headers", name.substr(0, 128), "use \"Name: value\"").ToStatus();
    headers.emplace_back(std::string(name), std::string(value));
  }
  return headers;
}

// A connection's error as this interface has it.
absl::Status Renamed(const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status)) return status;
  const ErrorInfo info = GetErrorInfo(status);
  const absl::string_view reason = info.reason == "HTTP_TIMEOUT"            ? "TIMED_OUT"
                                   : info.reason == "HTTP_TLS_UNTRUSTED"    ? "TLS_UNTRUSTED"
                                   : info.reason == "HTTP_TLS_FAILED"       ? "TLS_FAILED"
                                   : info.reason == "HTTP_ANSWER_TOO_LARGE" ? "ANSWER_TOO_LARGE"
                                   : info.metadata.count("step") > 0        ? "RESOLVE_FAILED"
                                                                            : "CONNECT_FAILED";
  return Error(absl::StatusCode::kUnavailable, status.message()).Reason(reason);
}

}  // namespace

absl::StatusOr<HttpsResponse> BeastHttpsClient::Call(const HttpsRequest& request) {
  SKERRY_ASSIGN_OR_RETURN(const HttpUrl url, ParseHttpUrl("url", request.url));
  if (url.scheme != "https")
    return InvalidField("url", request.url.substr(0, 256), "begin it with https://").ToStatus();
  SKERRY_ASSIGN_OR_RETURN(const Headers headers, ReadHeaders(request.headers));
  const std::string& server = request.server_name.empty() ? url.host : request.server_name;
  const std::string target = url.path + url.query;
  const Headers passed = EndToEnd(headers);
  RequestHead head{.method = request.body.empty() ? "GET" : "POST",
                   .target = target,
                   .authority = AuthorityOf(url.scheme, server, url.port),
                   .headers = &passed,
                   .body_bytes = request.body.size()};
  const CallTime time = CallTime::In(request.timeout, request.stop);
  ClientConnection connection;
  SKERRY_RETURN_IF_ERROR(
      Renamed(connection.Open({.host = url.host,
                               .port = static_cast<uint16_t>(url.port),
                               .tls = TlsTrust{.verify = !request.ca_pem.empty(),
                                               .ca_pem = request.ca_pem,
                                               .identity_pem = request.identity_pem},
                               .server_name = server},
                              time)));
  absl::StatusOr<CallAnswer> answer = connection.Ask(
      absl::StrCat(RenderRequestHead(head), request.body), false,
      {.body_bytes_max = kBodyBytesMax, .headers_bytes_max = kHeadersBytesMax}, time);
  if (!answer.ok()) return Renamed(answer.status());
  return HttpsResponse{.status = answer->status, .body = std::move(answer->body)};
}

}  // namespace skerry::http
