// HTTPS requests to one API server over libcurl.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_TRANSPORT_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_TRANSPORT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeclient/config_source.h"

namespace skerry::kubeclient {

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // Path and query, encoded.
  std::string content_type;
  std::string body;
  absl::Duration timeout = absl::Seconds(10);
  std::stop_token stop;
  // Where set, the body of a 2xx answer goes here as it comes; an error ends the request with it.
  std::function<absl::Status(absl::string_view chunk)> on_chunk;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::optional<absl::Duration> retry_after;
};

// Any thread may call Perform, which blocks. Connections are kept and used again until the
// configuration changes: a request that begins after that proves itself anew, one that is under way
// (a watch) ends as it began. A token file is read for every request. Proxies are not used.
class Transport {
 public:
  struct Options {
    std::string user_agent = "skerry";
    size_t answer_bytes_max = 64u << 20;
    size_t idle_connections_max = 16;
  };

  Transport(std::unique_ptr<ConfigSource> config, Options options);
  ~Transport();  // No call may be in progress.
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Any HTTP status is an answer. UNAVAILABLE: no connection, or it broke; ErrorInfo reason
  // "TLS_UNTRUSTED" where the certificate did not verify. DEADLINE_EXCEEDED, CANCELLED (stop),
  // RESOURCE_EXHAUSTED (answer_bytes_max).
  absl::StatusOr<HttpAnswer> Perform(const HttpRequest& request);

 private:
  class Handle;

  void SetConnection(Handle& handle, const HttpRequest& request) const;
  std::unique_ptr<Handle> Take(std::shared_ptr<const RestConfig> config);
  void Return(std::unique_ptr<Handle> handle);

  const std::unique_ptr<ConfigSource> config_;
  const Options options_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_TRANSPORT_H_
