#include "services/edged-svc/core/http_target.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace skerry::edged {
namespace {

// RFC 3986, 5.2.4, for a path that begins with "/".
std::string WithoutDots(absl::string_view path) {
  std::vector<absl::string_view> kept;
  const std::vector<absl::string_view> parts = absl::StrSplit(path.substr(1), '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool dots = parts[i] == "." || parts[i] == "..";
    if (parts[i] == ".." && !kept.empty()) kept.pop_back();
    if (!dots) kept.push_back(parts[i]);
    if (dots && i + 1 == parts.size()) kept.push_back("");
  }
  return absl::StrCat("/", absl::StrJoin(kept, "/"));
}

// "host", "host:8080", "[::1]:8080", also with "user@" before it.
bool ReadAuthority(absl::string_view text, HttpTarget& target) {
  const size_t at = text.rfind('@');
  if (at != absl::string_view::npos) text.remove_prefix(at + 1);
  absl::string_view port;
  if (absl::ConsumePrefix(&text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return false;
    port = text.substr(end + 1);
    text = text.substr(0, end);
    if (!port.empty() && !absl::ConsumePrefix(&port, ":")) return false;
  } else if (const size_t colon = text.rfind(':'); colon != absl::string_view::npos) {
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  target.host = std::string(text);
  target.port = target.tls ? 443 : 80;
  return !text.empty() && (port.empty() || (absl::SimpleAtoi(port, &target.port) &&
                                            target.port > 0 && target.port <= 65535));
}

// True: `location` begins with a scheme, which is taken off.
bool TakeScheme(absl::string_view& location, absl::string_view& scheme) {
  const size_t end = location.find_first_of(":/?");
  if (end == absl::string_view::npos || location[end] != ':') return false;
  scheme = location.substr(0, end);
  location.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string HostAndPort(absl::string_view host, int32_t port) {
  const bool v6 = absl::StrContains(host, ':');
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]:" : ":", port);
}

std::string HttpTarget::Authority() const { return HostAndPort(host, port); }

std::string HttpTarget::Url() const {
  return absl::StrCat(tls ? "https://" : "http://", Authority(), path);
}

std::string RequestPath(absl::string_view path) {
  std::string out = absl::StartsWith(path, "/") ? "" : "/";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f) {
      out += c;
    } else {
      absl::StrAppend(&out, "%",
                      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(byte, absl::kZeroPad2))));
    }
  }
  return out;
}

std::optional<HttpTarget> FollowLocation(const HttpTarget& from, absl::string_view location) {
  HttpTarget target = from;
  location = location.substr(0, location.find('#'));
  absl::string_view scheme;
  if (TakeScheme(location, scheme)) {
    target.tls = absl::EqualsIgnoreCase(scheme, "https");
    if (!target.tls && !absl::EqualsIgnoreCase(scheme, "http")) return std::nullopt;
    if (!absl::StartsWith(location, "//")) return std::nullopt;
  }
  if (absl::ConsumePrefix(&location, "//")) {
    const size_t end = std::min(location.find_first_of("/?"), location.size());
    if (!ReadAuthority(location.substr(0, end), target)) return std::nullopt;
    location.remove_prefix(end);
    target.path = RequestPath(location);
    return target;
  }
  if (location.empty()) return target;
  absl::string_view here = from.path;
  here = here.substr(0, here.find('?'));
  const size_t query = std::min(location.find('?'), location.size());
  const std::string path =
      query == 0 ? std::string(here)
      : absl::StartsWith(location, "/")
          ? std::string(location.substr(0, query))
          : absl::StrCat(here.substr(0, here.rfind('/') + 1), location.substr(0, query));
  target.path = RequestPath(absl::StrCat(WithoutDots(path), location.substr(query)));
  return target;
}

}  // namespace skerry::edged
