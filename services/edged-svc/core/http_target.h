// Where an HTTP request goes, and where an answer sends it on to.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_HTTP_TARGET_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_HTTP_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::edged {

struct HttpTarget {
  bool tls = false;
  std::string host;  // A name or an address, IPv6 without brackets.
  int32_t port = 80;
  std::string path = "/";  // With the query, begins with "/", has no bytes that must be encoded.

  // "host:port", "[::1]:80".
  std::string Authority() const;
  std::string Url() const;
};

// Brackets around IPv6.
std::string HostAndPort(absl::string_view host, int32_t port);

// `path` as a request's target: "/" before it and percent-encoding where they are missing.
std::string RequestPath(absl::string_view path);

// The target of a Location header in an answer of `from`; nullopt: it is no HTTP URL.
std::optional<HttpTarget> FollowLocation(const HttpTarget& from, absl::string_view location);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_HTTP_TARGET_H_
