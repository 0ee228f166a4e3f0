// One end of a reliable byte stream: a socket, an HTTP connection that was taken over, a tunnel.
#ifndef SKERRY_SERVICES_LIB_PIPE_BYTE_STREAM_H_
#define SKERRY_SERVICES_LIB_PIPE_BYTE_STREAM_H_

#include <cstddef>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::pipe {

// Any thread may call it; nothing blocks. What is called back may run on any thread, also before
// the call returns, and never with a lock of the stream held; it is called exactly once for each
// call, after Close with an error. A chunk is at most kChunkBytesMax.
class ByteStream {
 public:
  static constexpr size_t kChunkBytesMax = 32u << 10;

  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;
  using WriteDone = absl::AnyInvocable<void(absl::Status)>;

  virtual ~ByteStream() = default;
  // The next bytes; none: the peer says no more. One read at a time.
  virtual void Read(ReadDone done) = 0;
  // `done` when the transport has taken them. One write at a time.
  virtual void Write(std::string bytes, WriteDone done) = 0;
  // Ends the stream: OK after what was written, else at once. An error still ends at once what
  // waits for its OK.
  virtual void Close(absl::Status status) = 0;
};

}  // namespace skerry::pipe

#endif  // SKERRY_SERVICES_LIB_PIPE_BYTE_STREAM_H_
