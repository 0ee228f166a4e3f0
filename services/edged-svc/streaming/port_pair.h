// One connection to a port of a pod, on two channels.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_PAIR_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_PAIR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/strand.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Bytes both ways on `data`, what went wrong on `error`. When the client says no more, what the pod
// still has to say has kLastWords; when the pod does, that is the end. Keeps itself until then. On
// the connection's strand.
class PortPair : public std::enable_shared_from_this<PortPair> {
 public:
  static constexpr absl::Duration kLastWords = absl::Seconds(1);

  struct Deps {
    StreamBackend& backend;
    exec::SerialExecutor& timers;
    Strand& strand;  // Of `keep`, which the pair holds while it lives.
    std::shared_ptr<void> keep;
  };

  PortPair(Deps deps, std::string sandbox_id, uint16_t port, std::shared_ptr<Channel> data,
           std::shared_ptr<Channel> error, absl::AnyInvocable<void()> done)
      : deps_(std::move(deps)),
        sandbox_id_(std::move(sandbox_id)),
        port_(port),
        data_(std::move(data)),
        error_(std::move(error)),
        done_(std::move(done)) {}

  void Start();
  // The connection has ended. Idempotent.
  void Stop() { End(absl::OkStatus()); }

 private:
  template <typename Work>
  void Post(Work work);

  void Connected(std::shared_ptr<pipe::ByteStream> pod);
  void CopyIn();
  void CopyOut();
  void End(absl::Status status);

  const Deps deps_;
  const std::string sandbox_id_;
  const uint16_t port_;
  const std::shared_ptr<Channel> data_, error_;
  absl::AnyInvocable<void()> done_;
  std::shared_ptr<pipe::ByteStream> pod_;
  exec::SerialExecutor::TimerId timer_ = 0;
  bool ended_ = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_PORT_PAIR_H_
