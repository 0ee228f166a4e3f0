// port-forward: connections to ports of a pod, as many as the client opens.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_FORWARD_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_FORWARD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/port_pair.h"
#include "services/edged-svc/streaming/spdy_frames.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/edged-svc/streaming/websocket_session.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// Keeps itself until its connection has ended. On the connection's strand.
class PortForward : public std::enable_shared_from_this<PortForward> {
 public:
  struct Deps {
    StreamBackend& backend;
    exec::SerialExecutor& timers;
    absl::Duration creation_timeout;  // From the first stream of a pair to the second.
  };

  PortForward(Deps deps, StreamRequest request, std::shared_ptr<StreamConnection> connection)
      : deps_(deps), request_(std::move(request)), connection_(std::move(connection)) {}

  // portforward.k8s.io: a stream that the client opened, one of a pair for its "requestid".
  absl::Status OnStream(std::shared_ptr<Channel> stream, const spdy::Headers& headers);
  // v4.channel.k8s.io: every port of the request has two channels. When all have ended, the
  // connection does.
  void StartChannels(const WebSocketSession& session);
  // The connection has ended. It calls it.
  void ConnectionEnded();

 private:
  struct Half {
    std::shared_ptr<Channel> data, error;
    uint16_t port = 0;  // As `data` has it.
    exec::SerialExecutor::TimerId timer = 0;
  };

  void StartPair(uint16_t port, std::shared_ptr<Channel> data, std::shared_ptr<Channel> error,
                 bool last_ends);
  void PairLate(const std::string& id);

  const Deps deps_;
  const StreamRequest request_;
  const std::shared_ptr<StreamConnection> connection_;
  std::map<std::string, Half> halves_;  // At most SpdySession::kStreamsMax.
  std::map<size_t, std::shared_ptr<PortPair>> pairs_;
  size_t next_pair_ = 0;
  bool ended_ = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_FORWARD_H_
