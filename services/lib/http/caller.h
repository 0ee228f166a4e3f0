// Calls of HTTP services that others name: no redirect is followed, no proxy is used, and
// everything is bounded.
#ifndef SKERRY_SERVICES_LIB_HTTP_CALLER_H_
#define SKERRY_SERVICES_LIB_HTTP_CALLER_H_

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string url;  // As ParseHttpUrl reads it. It is sent as it is.
  Headers headers;  // Those of the connection (see EndToEnd) are the caller's own and left out.
  std::string body;
  absl::Duration timeout = absl::Seconds(10);
  std::stop_token stop;  // Ends the call with CANCELLED.
};

struct CallAnswer {
  int status = 0;
  Headers headers;  // Without those of the connection.
  std::string body;
};

// Any thread may call it.
class Caller {
 public:
  virtual ~Caller() = default;
  // Blocks. Any HTTP status is an answer, a redirect too. Errors, by reason: HTTP_CALL_INVALID
  // (INVALID_ARGUMENT); HTTP_UNREACHABLE, HTTP_TLS_FAILED, HTTP_TLS_UNTRUSTED (UNAVAILABLE: nothing
  // was sent); HTTP_BROKEN (UNAVAILABLE) and HTTP_TIMEOUT (DEADLINE_EXCEEDED): it may have been
  // executed; HTTP_ANSWER_TOO_LARGE (RESOURCE_EXHAUSTED): it was.
  virtual absl::StatusOr<CallAnswer> Perform(const Call& call) = 0;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CALLER_H_
