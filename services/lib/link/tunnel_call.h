// Serves one gRPC call of a tunnel's user; both hubs use it.
#ifndef SKERRY_SERVICES_LIB_LINK_TUNNEL_CALL_H_
#define SKERRY_SERVICES_LIB_LINK_TUNNEL_CALL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_events.h"
#include "services/lib/rpc/stream.h"

namespace skerry::link {

// A window and some; messages taken ahead of the link; and time for a user that reads slowly to
// take what is left of a tunnel that is over.
inline rpc::StreamOptions TunnelStreamOptions() {
  return {.pending_bytes_max = 2 * kTunnelWindowBytes,
          .unconsumed_max = 8,
          .close_timeout = absl::Minutes(10)};
}

// Writes to the call, and remembers what of it the user has yet to take.
template <typename Out>
class TunnelCallPort final : public tunnel::UserPort {
 public:
  explicit TunnelCallPort(std::shared_ptr<rpc::Stream<Out>> stream) : stream_(std::move(stream)) {}

  void Tell(tunnel::UserMessage message) override {
    std::visit([this](auto& body) { On(std::move(body)); }, message);
  }
  void Consumed() { stream_->Consumed(); }
  void Close(absl::Status status) { stream_->Close(std::move(status)); }
  // A message has left; returns the bytes of the tunnel that were in it.
  size_t Written() {
    absl::MutexLock lock(&mutex_);
    if (unwritten_.empty()) return 0;
    const size_t bytes = unwritten_.front();
    unwritten_.pop_front();
    return bytes;
  }

 private:
  void On(tunnel::Opened) {
    if constexpr (requires(Out out) { out.mutable_opened(); }) {
      Out out;
      out.mutable_opened();
      Send(std::move(out), 0);
    }
  }
  void On(tunnel::Bytes body) {
    const size_t bytes = body.bytes.size();
    Out out;
    out.set_data(std::move(body.bytes));
    Send(std::move(out), bytes);
  }
  void On(tunnel::Taken) { stream_->Consumed(); }
  void On(tunnel::HalfClose) {
    Out out;
    out.mutable_half_close();
    Send(std::move(out), 0);
  }
  void On(tunnel::End body) { stream_->Close(std::move(body.status)); }

  void Send(Out message, size_t bytes) {
    {
      absl::MutexLock lock(&mutex_);
      unwritten_.push_back(bytes);
    }
    stream_->Send(std::move(message));
  }

  const std::shared_ptr<rpc::Stream<Out>> stream_;
  absl::Mutex mutex_;
  std::deque<size_t> unwritten_ ABSL_GUARDED_BY(mutex_);
};

// Where a user's words go; any thread, does not block.
using TunnelInput = std::function<void(tunnel::UserEvent)>;

// What a call tells. `begin` gets the first message and the user's port, and returns where the rest
// goes; or the error that ends the call.
template <typename In, typename Out, typename Begin>
rpc::StreamEvents<In> ServeTunnel(std::shared_ptr<rpc::Stream<Out>> stream, Begin begin) {
  struct Call {
    std::shared_ptr<TunnelCallPort<Out>> port;
    TunnelInput input;  // Null before the first message, and after an error.
    bool failed = false;

    absl::Status Read(In& message) {
      if (message.body_case() == In::kHalfClose) {
        input(tunnel::HalfClose{});
        port->Consumed();
        return absl::OkStatus();
      }
      if (message.body_case() != In::kData || message.data().empty() ||
          message.data().size() > kTunnelDataBytesMax) {
        return Error(absl::StatusCode::kInvalidArgument,
                     "a message of a tunnel must be data of 1 byte to 32 KiB, or a half close")
            .Reason("TUNNEL_PROTOCOL_ERROR");
      }
      input(tunnel::Bytes{std::move(*message.mutable_data())});
      return absl::OkStatus();
    }
  };
  auto call = std::make_shared<Call>();
  call->port = std::make_shared<TunnelCallPort<Out>>(std::move(stream));
  return {.on_message =
              [call, begin = std::move(begin)](In message) {
                if (call->failed) return;
                absl::Status status;
                if (call->input == nullptr) {
                  absl::StatusOr<TunnelInput> input = begin(std::move(message), call->port);
                  status = input.status();
                  if (input.ok()) call->input = *std::move(input);
                  call->port->Consumed();
                } else {
                  status = call->Read(message);
                }
                if (status.ok()) return;
                call->failed = true;
                call->port->Close(std::move(status));
              },
          .on_closed =
              [call](absl::Status) {
                if (call->input == nullptr) return;
                call->input(tunnel::End{
                    Error(absl::StatusCode::kCancelled, "the user of the tunnel is gone")
                        .Reason("TUNNEL_USER_GONE")});
              },
          .on_written =
              [call] {
                const size_t bytes = call->port->Written();
                if (bytes > 0 && call->input != nullptr) call->input(tunnel::Consumed{bytes});
              }};
}

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_TUNNEL_CALL_H_
