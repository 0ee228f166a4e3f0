// Ends of streams with one write in flight and a byte bound: written once, used by every service.
//
//   grpc::ServerBidiReactor<In, Out>* Attach(grpc::CallbackServerContext* context) override {
//     return rpc::AcceptBidi<In, Out>(context, {}, [&](const CallScope& scope, std::shared_ptr<rpc::Stream<Out>> stream) {
//       auto session = std::make_shared<Session>(scope.peer, stream);      // keeps `stream` to send
//       return rpc::StreamEvents<In>{
//           .on_message = [session](In frame) { session->OnFrame(std::move(frame)); },
//           .on_closed = [session](absl::Status status) { session->OnClosed(status); }};
//     });
//   }
//   auto stream = rpc::DialBidi<In, Out>([&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); }, {}, events);
#ifndef SKERRY_SERVICES_LIB_RPC_STREAM_H_
#define SKERRY_SERVICES_LIB_RPC_STREAM_H_

#include <cstddef>
#include <functional>

#include "absl/status/status.h"

namespace skerry::rpc {

// What the owner of an open stream holds. Any thread may call it, at any time, also after the end of the
// stream (then nothing happens).
template <typename Out>
class Stream {
 public:
  virtual ~Stream() = default;
  // False when the stream has ended or `message` does not fit the byte bound; the latter closes the stream
  // with RESOURCE_EXHAUSTED / SLOW_READER.
  virtual bool Send(Out message) = 0;
  // Bytes accepted and not yet handed to the transport.
  virtual size_t pending_bytes() const = 0;
  // Server: sends what is pending, then ends with `status`. Client: the same, then half-closes for OK and
  // cancels otherwise. The first Close counts.
  virtual void Close(absl::Status status) = 0;
};

// What a stream tells its owner, on gRPC's threads: never two at a time for one stream, on_closed last and
// exactly once. They must not block; on_message posts to the owner's executor.
template <typename In>
struct StreamEvents {
  std::function<void(In message)> on_message;
  // Server: why the client is gone (OK: it half-closed or we closed; CANCELLED: broken or cancelled).
  // Client: the status with which the server ended the stream.
  std::function<void(absl::Status status)> on_closed;
  std::function<void()> on_drained;  // Optional. Pending bytes fell to zero.
};

struct StreamOptions {
  size_t pending_bytes_max = 8u << 20;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_STREAM_H_
