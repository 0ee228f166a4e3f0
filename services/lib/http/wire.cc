#include "services/lib/http/wire.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace skerry::http {
namespace {

struct Reason {
  int status;
  absl::string_view text;
};

constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Payload Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

absl::string_view ReasonOf(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.text;
  }
  return "Status";
}

bool IsToken(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("!#$%&'*+-.^_`|~", absl::string_view(&c, 1));
  });
}

bool IsFraming(absl::string_view name) {
  return absl::EqualsIgnoreCase(name, "content-length") ||
         absl::EqualsIgnoreCase(name, "transfer-encoding") ||
         absl::EqualsIgnoreCase(name, "connection") || absl::EqualsIgnoreCase(name, "date");
}

std::string CleanValue(absl::string_view value) {
  std::string clean(value);
  std::replace_if(
      clean.begin(), clean.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t'; }, ' ');
  return clean;
}

}  // namespace

std::string RenderHead(const AnswerHead& head, absl::Time now) {
  std::string text = absl::StrCat(head.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ", head.status, " ",
                                  ReasonOf(head.status), "\r\n");
  for (const auto& [name, value] : *head.headers) {
    if (IsToken(name) && !IsFraming(name))
      absl::StrAppend(&text, name, ": ", CleanValue(value), "\r\n");
  }
  absl::StrAppend(&text,
                  "Date: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone()),
                  "\r\n");
  const bool has_body = head.status >= 200 && head.status != 204 && head.status != 304;
  if (head.content_length.has_value()) {
    if (has_body) absl::StrAppend(&text, "Content-Length: ", *head.content_length, "\r\n");
  } else if (!head.http_1_0) {
    absl::StrAppend(&text, "Transfer-Encoding: chunked\r\n");
  }
  if (!head.keep_alive) {
    absl::StrAppend(&text, "Connection: close\r\n");
  } else if (head.http_1_0) {
    absl::StrAppend(&text, "Connection: keep-alive\r\n");
  }
  text += "\r\n";
  return text;
}

}  // namespace skerry::http
