// One stream of a connection that carries several.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_CHANNEL_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_CHANNEL_H_

#include <cstddef>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::edged {

// Both halves end on their own. Called on the strand of its connection, as is what it calls back:
// exactly once for each call, when the connection ends with an error; also before the call returns.
class Channel {
 public:
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;
  using WriteDone = absl::AnyInvocable<void(absl::Status)>;

  virtual ~Channel() = default;
  // The next bytes, at most pipe::ByteStream::kChunkBytesMax; none: the peer says no more. One read
  // at a time. What nobody reads holds the connection.
  virtual void Read(ReadDone done) = 0;
  // From now on, what the peer says is dropped; a read that waits is told of the end.
  virtual void Discard() = 0;
  // At most pipe::ByteStream::kChunkBytesMax; `done` when the transport has taken them. One write
  // at a time.
  virtual void Write(std::string bytes, WriteDone done) = 0;
  // No more from here, after what was written.
  virtual void End() = 0;
};

// The reading half: what came and was not read yet. The caller bounds it. On the strand.
class ChannelInput {
 public:
  void Put(std::string bytes);
  void End();
  void Fail(absl::Status status);

  void Read(Channel::ReadDone done);
  void Discard();

  size_t bytes() const { return buffer_.size(); }

 private:
  void Deliver();

  std::string buffer_;
  Channel::ReadDone read_;  // That waits.
  bool ended_ = false, discarding_ = false;
  absl::Status status_;  // Why it ended.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_CHANNEL_H_
