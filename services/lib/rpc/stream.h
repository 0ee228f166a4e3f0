// Ends of streams with one write in flight and a byte bound: written once, used by every service.
//
//   grpc::ServerBidiReactor<In, Out>* Attach(grpc::CallbackServerContext* context) override {
//     return rpc::AcceptBidi<In, Out>(context, {}, [&](const CallScope& scope,
//     std::shared_ptr<rpc::Stream<Out>> stream) {
//       auto session = std::make_shared<Session>(scope.peer, stream);      // keeps `stream` to
//       send return rpc::StreamEvents<In>{
//           .on_message = [session](In frame) { session->OnFrame(std::move(frame)); },
//           .on_closed = [session](absl::Status status) { session->OnClosed(status); }};
//     });
//   }
//   auto stream = rpc::DialBidi<In, Out>([&](auto* context, auto* reactor) {
//   stub->async()->Attach(context, reactor); }, {}, events);
//
// Server streams (watches): AcceptWriter in server_writer.h, DialReader in server_reader_client.h.
#ifndef SKERRY_SERVICES_LIB_RPC_STREAM_H_
#define SKERRY_SERVICES_LIB_RPC_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace skerry::rpc {

// What the owner of an open stream of either direction holds. Any thread may call it, at any time,
// also after the end of the stream (then nothing happens).
class StreamControl {
 public:
  virtual ~StreamControl() = default;
  // Server: sends what is pending, then ends with `status`. Client: the same, then half-closes for
  // OK and cancels otherwise. The first Close counts. A peer that has not taken the end within
  // StreamOptions::close_timeout is cut.
  virtual void Close(absl::Status status) = 0;
  // One message given to on_message is done with: see StreamOptions::unconsumed_max.
  virtual void Consumed() {}
  // From on_message, where an answer is to come soon: the next message is read when the next one is
  // written, or at ReadOn(what this returned), whichever is first. What the transport tells the
  // peer about what was read then goes along with the answer (ADR 29).
  virtual uint32_t ReadAfterWrite() { return 0; }
  virtual void ReadOn(uint32_t) {}
};

// As above, for an end that sends.
template <typename Out>
class Stream : public StreamControl {
 public:
  // False when the stream has ended or `message` does not fit the byte bound; the latter closes the
  // stream with RESOURCE_EXHAUSTED / SLOW_READER.
  virtual bool Send(Out message) = 0;
  // Bytes accepted and not yet handed to the transport.
  virtual size_t pending_bytes() const = 0;
  // From now on messages that wait for the transport go as one, where their type has `repeated Out
  // following`. For peers that have said that they take it: they see the same messages.
  virtual void SendBundles() = 0;
};

// What a stream tells its owner, on gRPC's threads: never two at a time for one stream, on_closed
// last and exactly once, after which the functions are destroyed. They must not block; on_message
// posts to the owner's executor. On clients they may be called before Dial… has returned.
template <typename In>
struct StreamEvents {
  std::function<void(In message)> on_message;
  // Server: why the stream is over (OK: the client half-closed or we closed; CANCELLED: broken or
  // cancelled; RESOURCE_EXHAUSTED / SLOW_READER: the bound; INVALID_ARGUMENT / BUNDLE_INVALID: the
  // peer sent more messages as one than it may). Client: the status with which the server ended the
  // stream, or what it was closed with here.
  std::function<void(absl::Status status)> on_closed;
  std::function<void()> on_drained;  // Optional. Pending bytes fell to zero.
  // Optional. A message was handed to the transport; of those that went as one, one call.
  std::function<void()> on_written;
};

// For a server's end that only sends.
struct WriterEvents {
  std::function<void(absl::Status status)> on_closed;
  std::function<void()> on_drained;  // Optional.
};

struct StreamOptions {
  size_t pending_bytes_max = 8u << 20;
  // Messages given to on_message for which Consumed() was not called yet; at this many, reading
  // pauses, and the transport's flow control holds the peer back. 0: no pause, and Consumed() need
  // not be called.
  size_t unconsumed_max = 0;
  // From Close (or overflow) until the call is cancelled where the peer does not take what is
  // pending.
  absl::Duration close_timeout = absl::Seconds(5);
  // After SendBundles(): from one write to the next, unless as much waits as goes as one. A message
  // after a longer silence goes at once.
  absl::Duration bundle_pause = absl::Milliseconds(1);
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_STREAM_H_
