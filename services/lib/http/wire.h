// The head of an HTTP/1.1 answer as text.
#ifndef SKERRY_SERVICES_LIB_HTTP_WIRE_H_
#define SKERRY_SERVICES_LIB_HTTP_WIRE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace skerry::http {

struct AnswerHead {
  int status = 200;
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;
  // Length of the body; nullopt: chunked, or until the end of the connection for HTTP/1.0.
  std::optional<size_t> content_length;
  bool http_1_0 = false;
  bool keep_alive = true;
};

// Ends with the empty line. Control characters in header values become spaces, headers with other
// names than tokens are left out, and framing headers in `headers` are ignored.
std::string RenderHead(const AnswerHead& head, absl::Time now);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_WIRE_H_
