// A connection that carries channels: its reading, its writing and its end.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_CONNECTION_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/strand.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Base of the SPDY and the WebSocket session. What it holds of input is bounded: beyond
// kChannelBytesMax in a channel or kInputBytesMax in all of them, or kOutputBytesMax that wait to
// be written, nothing more is read. Every method but strand() and chunks() is called on the strand.
// Kept by its own reads and writes until it has ended.
class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
 public:
  static constexpr size_t kChannelBytesMax = 64u << 10;
  static constexpr size_t kInputBytesMax = 256u << 10;
  static constexpr size_t kOutputBytesMax = 256u << 10;

  // Called once. OK: End(OK) was called, or the peer left.
  using OnEnded = absl::AnyInvocable<void(absl::Status)>;

  explicit StreamConnection(std::shared_ptr<pipe::ByteStream> stream)
      : stream_(std::move(stream)) {}
  virtual ~StreamConnection() = default;
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;

  Strand& strand() { return strand_; }
  // Chunks of bytes that came or went since the begin.
  uint64_t chunks() const { return chunks_.load(std::memory_order_relaxed); }

  void Start() { Read(); }
  // OK: says goodbye and closes after what was written; an error closes at once. Idempotent.
  void End(absl::Status status);
  // What still waits to be written after the end no longer does.
  void Abort();
  // End, from this side and with an error: whoever speaks on the channels may first tell the peer
  // why, and then calls End. Without OnLeave it is End.
  void Leave(absl::Status status);
  void OnLeave(OnEnded leave) { on_leave_ = std::move(leave); }
  void OnEnd(OnEnded ended) { on_ended_ = std::move(ended); }
  // Called once, after that: what was written is with the transport, or never will be.
  void OnClosed(absl::AnyInvocable<void()> closed) { on_closed_ = std::move(closed); }
  bool ended() const { return ended_; }

 protected:
  // Decodes what came. An error ends the connection.
  virtual absl::Status Take(absl::string_view bytes) = 0;
  // Of one channel the most, and of all.
  struct Held {
    size_t most = 0, all = 0;
  };
  virtual Held HeldInput() const = 0;
  // Frames that tell the peer of the end.
  virtual std::string Farewell(const absl::Status& status) = 0;
  // Reads and writes that wait are answered with `status`, and the owner's callbacks dropped.
  virtual void FailChannels(const absl::Status& status) = 0;

  // Frames; `done`, if any, when the transport has taken all of them.
  void Send(std::string bytes, Channel::WriteDone done = nullptr);
  // A channel was read.
  void Resume() { Read(); }

 private:
  struct Written {
    uint64_t upto = 0;
    Channel::WriteDone done;
  };

  void Read();
  void WriteNext();
  void Wrote(size_t bytes, absl::Status status);
  void Close(absl::Status status);

  const std::shared_ptr<pipe::ByteStream> stream_;
  Strand strand_;
  std::atomic<uint64_t> chunks_ = 0;
  bool reading_ = false, writing_ = false, taking_ = false;
  bool ended_ = false, closed_ = false;
  std::string output_;                             // Not given to the transport yet.
  uint64_t queued_bytes_ = 0, written_bytes_ = 0;  // Since the begin.
  std::deque<Written> waiting_;
  OnEnded on_leave_, on_ended_;
  absl::AnyInvocable<void()> on_closed_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_CONNECTION_H_
