// exec and attach: a container's standard streams on the channels of a connection.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_COMMAND_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_COMMAND_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/remote_status.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/lib/exec/thread_pool.h"

namespace skerry::edged {

// Those that the client asked for; `error` always.
struct RemoteChannels {
  std::shared_ptr<Channel> error, in, out, err, resize;
};

// From the backend's Open to how it ended. One chunk each way is in hand: whoever is slower holds
// the other. Keeps itself until its connection has ended. On the connection's strand.
class RemoteCommand : public std::enable_shared_from_this<RemoteCommand> {
 public:
  struct Deps {
    StreamBackend& backend;
    exec::ThreadPool& pool;  // For Open. Full: the client is told.
  };

  RemoteCommand(Deps deps, StreamRequest request, StatusFormat format,
                std::shared_ptr<StreamConnection> connection, RemoteChannels channels)
      : deps_(deps),
        request_(std::move(request)),
        format_(format),
        connection_(std::move(connection)),
        channels_(std::move(channels)) {}

  void Start();
  // The connection is about to end from this side: the client is told why.
  void Leave(const absl::Status& why) { Finish(Failure(why)); }
  // The connection has ended. It calls it.
  void ConnectionEnded();

 private:
  // Runs `work` of this object on the strand, from any thread.
  template <typename Work>
  void Post(Work work);

  void Opened(absl::StatusOr<std::shared_ptr<ContainerIo>> io);
  void CopyIn();
  void CopyOut();
  void Deliver(ContainerOutput output);
  void ReadSizes();
  void AwaitExit();
  void Finish(std::string status);
  std::string Failure(const absl::Status& why) const;

  const Deps deps_;
  const StreamRequest request_;
  const StatusFormat format_;
  const std::shared_ptr<StreamConnection> connection_;
  RemoteChannels channels_;
  ResizeReader sizes_;
  std::shared_ptr<ContainerIo> io_;
  bool ended_ = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_COMMAND_H_
