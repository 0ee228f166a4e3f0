// What is spoken on connections that were upgraded.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SESSIONS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SESSIONS_H_

#include <functional>
#include <memory>

#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/connection_watch.h"
#include "services/edged-svc/streaming/open_streams.h"
#include "services/edged-svc/streaming/port_forward.h"
#include "services/edged-svc/streaming/remote_command.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/edged-svc/streaming/stream_metrics.h"
#include "services/edged-svc/streaming/upgrade.h"
#include "services/edged-svc/streaming/websocket_session.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Any thread may call it. It lives as long as a place is held.
class StreamSessions {
 public:
  struct Deps {
    StreamBackend& backend;
    exec::SerialExecutor& timers;
    exec::ThreadPool& pool;  // For the backend's Open.
    StreamMetrics* metrics;  // May be null.
    log::Logger log;
  };

  StreamSessions(Deps deps, ConnectionWatch::Times times) : deps_(std::move(deps)), times_(times) {}

  using Place = std::shared_ptr<OpenStreams::Place>;
  // Speaks the protocol on `raw`, whose answer has been written. The place is held until the
  // connection has closed.
  void Begin(StreamRequest request, const Upgrade& upgrade, std::shared_ptr<pipe::ByteStream> raw,
             Place place);

 private:
  struct Conversation {
    StreamRequest request;
    StatusFormat status;
    bool resizes;
    Place place;
  };
  using Session = std::shared_ptr<StreamConnection>;

  void BeginSpdy(Conversation c, std::shared_ptr<pipe::ByteStream> raw);
  void BeginWebSocket(Conversation c, std::shared_ptr<WebSocketSession> session);

  // Opened, for the metrics and the watch; `ended` when the connection has.
  void Watch(const Conversation& c, ConnectionWatch& watch, const Session& session,
             std::function<void()> ended);
  std::shared_ptr<ConnectionWatch> NewWatch(const Session& session) const;
  std::shared_ptr<PortForward> NewForward(const Conversation& c, Session session) const;
  std::shared_ptr<RemoteCommand> NewCommand(const Conversation& c, Session session,
                                            RemoteChannels channels) const;

  const Deps deps_;
  const ConnectionWatch::Times times_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_SESSIONS_H_
