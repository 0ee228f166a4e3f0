// What the stream server asks of a container runtime that serves no streams of its own.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_BACKEND_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

struct ContainerOutput {
  enum class From { kStdout, kStderr };
  From from = From::kStdout;  // A terminal has only this one.
  std::string bytes;          // At most pipe::ByteStream::kChunkBytesMax; none: it has ended.
};

// The standard streams of one exec or attach. Any thread may call it; nothing blocks. What is
// called back may run on any thread, also before the call returns, and never with a lock of the
// object held; it is called exactly once for each call, after Close with an error, and promptly. It
// may be destroyed within a callback of its own, after Close.
class ContainerIo {
 public:
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<ContainerOutput>)>;
  using WriteDone = absl::AnyInvocable<void(absl::Status)>;
  using WaitDone = absl::AnyInvocable<void(absl::StatusOr<int>)>;

  virtual ~ContainerIo() = default;
  // The next output. One read at a time. Output that nobody reads holds the process.
  virtual void Read(ReadDone done) = 0;
  // To standard input; at most pipe::ByteStream::kChunkBytesMax. One write at a time.
  virtual void Write(std::string bytes, WriteDone done) = 0;
  // After what was written. Nothing is written afterwards.
  virtual void CloseInput() = 0;
  virtual void Resize(uint16_t width, uint16_t height) = 0;
  // Asked once, after Read said that output has ended: the exit code, for attach 0.
  virtual void Wait(WaitDone done) = 0;
  // The client is gone, or all was said. Idempotent.
  virtual void Close() = 0;
};

// Any thread may call it; outlives the stream server.
class StreamBackend {
 public:
  using ConnectDone = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<pipe::ByteStream>>)>;

  virtual ~StreamBackend() = default;
  // Exec: starts the process. Attach: joins the container's streams. On a thread of the server's
  // pool; may block, with a deadline of its own.
  virtual absl::StatusOr<std::shared_ptr<ContainerIo>> Open(const StreamRequest& request) = 0;
  // A TCP connection to a port inside of the sandbox. Does not block; `done` exactly once, on any
  // thread, with a deadline of its own.
  virtual void ConnectPort(absl::string_view sandbox_id, uint16_t port, ConnectDone done) = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_BACKEND_H_
