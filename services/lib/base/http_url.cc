#include "services/lib/base/http_url.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view text, absl::string_view fix) {
  return InvalidField(field, text.substr(0, 256), fix).Reason("URL_INVALID");
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What RFC 3986 lets stand in a path or query as it is.
bool IsPlain(char c) {
  return absl::ascii_isalnum(c) || absl::StrContains("-._~!$&'()*+,;=:@/?", c);
}

// Of a path segment or a query, decoded: why it can't be, or "".
absl::string_view Decode(absl::string_view text, std::string& decoded) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return "follow each % by two hex digits";
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (!IsPlain(c)) {
      return "percent-encode what is not of RFC 3986's characters";
    }
    decoded += c;
  }
  return "";
}

absl::string_view FaultOfPath(absl::string_view path) {
  for (absl::string_view segment : absl::StrSplit(path, '/')) {
    std::string decoded;
    if (absl::string_view fault = Decode(segment, decoded); !fault.empty()) return fault;
    if (decoded == "." || decoded == "..") return "leave out segments that are . or ..";
    for (const char c : decoded) {
      if (c == '/' || c == '\\' || absl::ascii_iscntrl(c))
        return "leave out encoded slashes, backslashes and control characters";
    }
  }
  return "";
}

bool IsHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]") || host.empty()) return false;
    for (const char c : host) {
      if (!absl::ascii_isxdigit(c) && c != ':' && c != '.') return false;
    }
    return true;
  }
  if (host.empty() || host.size() > 253) return false;
  for (const char c : host) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

// Takes host and port from "host[:port]".
bool ReadAuthority(absl::string_view authority, HttpUrl& url) {
  url.port = url.scheme == "https" ? 443 : 80;
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != absl::string_view::npos && authority.find(']', colon) == absl::string_view::npos;
  if (has_port) {
    const absl::string_view port = authority.substr(colon + 1);
    for (const char c : port) {
      if (!absl::ascii_isdigit(c)) return false;
    }
    if (!absl::SimpleAtoi(port, &url.port) || url.port < 1 || url.port > 65535) return false;
    authority = authority.substr(0, colon);
  }
  url.host = absl::AsciiStrToLower(authority);
  return IsHost(url.host);
}

}  // namespace

absl::StatusOr<HttpUrl> ParseHttpPath(absl::string_view field, absl::string_view text) {
  if (text.size() > kHttpUrlBytesMax)
    return Bad(field, text, absl::StrCat("use at most ", kHttpUrlBytesMax, " bytes"));
  if (!absl::StartsWith(text, "/")) return Bad(field, text, "begin the path with /");
  HttpUrl url;
  const size_t question = text.find('?');
  url.path = std::string(text.substr(0, question));
  if (question != absl::string_view::npos) url.query = std::string(text.substr(question));
  absl::string_view fault = FaultOfPath(url.path);
  std::string decoded;
  if (fault.empty()) fault = Decode(url.query, decoded);
  if (!fault.empty()) return Bad(field, text, fault);
  return url;
}

absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view field, absl::string_view text) {
  HttpUrl parts;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "http://")) {
    parts.scheme = "http";
  } else if (absl::ConsumePrefix(&rest, "https://")) {
    parts.scheme = "https";
  } else {
    return Bad(field, text, "use http://host:port/path or https://…");
  }
  const size_t end = rest.find_first_of("/?#");
  if (!ReadAuthority(rest.substr(0, end), parts))
    return Bad(field, text, "name a host and a port of 1 to 65535, and no user");
  rest = end == absl::string_view::npos ? "" : rest.substr(end);
  const std::string target =
      absl::StartsWith(rest, "/") ? std::string(rest) : absl::StrCat("/", rest);
  if (absl::StrContains(rest, '#')) return Bad(field, text, "leave out the fragment");
  SKERRY_ASSIGN_OR_RETURN(HttpUrl url, ParseHttpPath(field, target));
  url.scheme = parts.scheme;
  url.host = parts.host;
  url.port = parts.port;
  return url;
}

std::string ToText(const HttpUrl& url) {
  return absl::StrCat(url.scheme, "://", url.host, ":", url.port, url.path, url.query);
}

bool IsPathBelow(absl::string_view path, absl::string_view prefix) {
  absl::ConsumeSuffix(&prefix, "/");
  return absl::ConsumePrefix(&path, prefix) && (path.empty() || path[0] == '/');
}

}  // namespace skerry
