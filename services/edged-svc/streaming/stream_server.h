// The kubelet's exec, attach and port-forward for a runtime without a streaming server of its own.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SERVER_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::edged {

struct StreamServerOptions {
  std::string listen = "127.0.0.1:0";  // Plain HTTP: loopback only.
  size_t waiting_max = 100;            // URLs that nobody has come to; beyond: Add refuses.
  size_t open_max = 100;               // Connections; beyond: 503.
  absl::Duration token_age_max = absl::Minutes(1);
  // The kubelet's: until the client has opened its streams, and without a byte either way.
  absl::Duration creation_timeout = absl::Seconds(30);
  absl::Duration idle_timeout = absl::Hours(4);
  // While something waits to be written, and the client reads nothing.
  absl::Duration write_timeout = absl::Hours(4);
  size_t workers = 4;  // Threads for StreamBackend::Open.
};

// Serves each URL that it gave out once: SPDY/3.1 and WebSocket, as kubectl and kube-apiserver
// speak them to a kubelet. Any thread may call it; none of its own (nor of the backend's callbacks)
// may destroy it. The destructor ends what is open, and calls nothing of the backend afterwards.
class StreamServer {
 public:
  struct Deps {
    StreamBackend& backend;
    Clock& clock;
    log::Logger log;
    // Outlives the server, and has no other HTTP server; null: nothing is counted there.
    metrics::Registry* registry = nullptr;
  };

  static absl::StatusOr<std::unique_ptr<StreamServer>> Create(const StreamServerOptions& options,
                                                              Deps deps);
  ~StreamServer();
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  // The URL for one connection: "http://127.0.0.1:41235/exec/<128 random bits>". RESOURCE_EXHAUSTED
  // (TOO_MANY_STREAMS) where waiting_max wait.
  absl::StatusOr<std::string> Add(StreamRequest request);

 private:
  class Impl;
  explicit StreamServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SERVER_H_
