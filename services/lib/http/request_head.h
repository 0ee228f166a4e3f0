// The head of an HTTP/1.1 request as text.
#ifndef SKERRY_SERVICES_LIB_HTTP_REQUEST_HEAD_H_
#define SKERRY_SERVICES_LIB_HTTP_REQUEST_HEAD_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::http {

// Everything is written as it is: the caller has made sure that names are tokens, and that nothing
// has control characters (IsHeaderName, IsHeaderValue).
struct RequestHead {
  absl::string_view method;
  absl::string_view target;      // Path and query.
  std::string authority;         // Host and, where it is not the scheme's, port.
  absl::string_view user_agent;  // Where the headers have none.
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;
  size_t body_bytes = 0;  // Told where there are some, and where the method wants some.
  bool keep_alive = false;
};

// Ends with the empty line.
std::string RenderRequestHead(const RequestHead& head);

// "host" or "host:port"; an IPv6 address has its brackets.
std::string AuthorityOf(absl::string_view scheme, absl::string_view host, int port);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_REQUEST_HEAD_H_
