// An absolute http or https URL in its parts.
#ifndef SKERRY_SERVICES_LIB_BASE_HTTP_URL_H_
#define SKERRY_SERVICES_LIB_BASE_HTTP_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry {

struct HttpUrl {
  std::string scheme;  // "http" or "https".
  std::string host;    // Lower case; an IPv6 address has its brackets.
  int port = 0;        // As it was given, or the scheme's.
  std::string path;    // Encoded as it was given, begins with '/'.
  std::string query;   // With its '?', as it was given; empty where there is none.
};

inline constexpr size_t kHttpUrlBytesMax = 2048;

// Strict, so that whoever checks a URL and whoever serves it read the same: INVALID_ARGUMENT /
// URL_INVALID, naming `field`, for user names, fragments, what must be percent-encoded and is not,
// and segments that are "." or ".." or hold a slash, a backslash or a control character once they
// are decoded.
absl::StatusOr<HttpUrl> ParseHttpUrl(absl::string_view field, absl::string_view text);

// The path and query of a URL alone, by the same rules. What is returned has no scheme, host or
// port.
absl::StatusOr<HttpUrl> ParseHttpPath(absl::string_view field, absl::string_view text);

// "http://127.0.0.1:8080/echo?x=1"; the port is always there.
std::string ToText(const HttpUrl& url);

// The path is `prefix` or below it: "/api" and "/api/" have "/api/x", not "/apix"; "/" has all.
bool IsPathBelow(absl::string_view path, absl::string_view prefix);

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_HTTP_URL_H_
