// Calls of HTTP services over libcurl: no redirect is followed, no proxy is used, and everything is
// bounded.
#ifndef SKERRY_SERVICES_LIB_HTTP_CALLER_H_
#define SKERRY_SERVICES_LIB_HTTP_CALLER_H_

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
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

// libcurl is loaded with the first call.
class CurlCaller final : public Caller {
 public:
  struct Options {
    std::string user_agent = "skerry";
    std::string ca_file;                   // PEM roots to trust instead of the system's.
    size_t body_bytes_max = 1u << 20;      // Of an answer.
    size_t headers_bytes_max = 64u << 10;  // Of an answer.
    // Connections that are kept for the next call. On one that the server has just closed a request
    // is sent twice by libcurl, in rare cases; with 0, never.
    size_t idle_connections_max = 0;
  };

  explicit CurlCaller(Options options);
  ~CurlCaller() override;  // No call may be in progress.
  CurlCaller(const CurlCaller&) = delete;
  CurlCaller& operator=(const CurlCaller&) = delete;

  absl::StatusOr<CallAnswer> Perform(const Call& call) override;

 private:
  class Handle;
  absl::StatusOr<std::unique_ptr<Handle>> Take();
  void Return(std::unique_ptr<Handle> handle);

  const Options options_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CALLER_H_
