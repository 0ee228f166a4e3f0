// The user's end of a tunnel: a gRPC call to a hub as a byte stream.
#ifndef SKERRY_SERVICES_LIB_LINK_TUNNEL_CLIENT_H_
#define SKERRY_SERVICES_LIB_LINK_TUNNEL_CLIENT_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_call.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/stream.h"

namespace skerry::link {

// In and Out are the messages of the hub's TunnelService. A tunnel that is refused or breaks shows
// as the error of the read that waits. Close(OK) half-closes: the call ends when the other side has
// done so too, as users do that join the stream to a connection. Kept by its call until that ends.
template <typename In, typename Out>
class TunnelClient final : public pipe::ByteStream {
 public:
  static_assert(kTunnelDataBytesMax == pipe::ByteStream::kChunkBytesMax);

  // `start(context, reactor)` starts the call, `first` opens or joins the tunnel. `ended` is called
  // once, last.
  template <typename Start>
  static std::shared_ptr<TunnelClient> Dial(const Start& start, Out first,
                                            absl::AnyInvocable<void()> ended) {
    auto client = std::shared_ptr<TunnelClient>(new TunnelClient(std::move(ended)));
    rpc::StreamEvents<In> events;
    events.on_message = [client](In message) { client->OnMessage(std::move(message)); };
    events.on_closed = [client](absl::Status status) { client->OnClosed(std::move(status)); };
    events.on_written = [client] { client->OnWritten(); };
    auto stream = rpc::DialBidi<In, Out>(start, TunnelStreamOptions(), std::move(events));
    absl::MutexLock lock(&client->mutex_);
    client->stream_ = stream;
    client->SendLocked(std::move(first), nullptr);
    return client;
  }

  void Read(ReadDone done) override {
    absl::StatusOr<std::string> now;
    {
      absl::MutexLock lock(&mutex_);
      if (!incoming_.empty()) {
        now = std::move(incoming_.front());
        incoming_.pop_front();
        stream_->Consumed();
      } else if (status_.has_value() && !status_->ok()) {
        now = *status_;
      } else if (half_closed_ || status_.has_value()) {
        now = std::string();
      } else {
        read_ = std::move(done);
        return;
      }
    }
    done(std::move(now));
  }

  void Write(std::string bytes, WriteDone done) override {
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      if (status_.has_value() || closed_) {
        status = absl::CancelledError("the tunnel is closed");
      } else if (!bytes.empty()) {
        Out message;
        message.set_data(std::move(bytes));
        if (SendLocked(std::move(message), &done)) return;
        status = absl::CancelledError("the tunnel is closed");
      }
    }
    done(std::move(status));
  }

  void Close(absl::Status status) override {
    std::shared_ptr<rpc::Stream<Out>> stream;
    {
      absl::MutexLock lock(&mutex_);
      // One that waits for its other side may still be cut.
      if (status.ok() ? closed_ : cut_) return;
      closed_ = true;
      cut_ = !status.ok();
      stream = stream_;
      if (status.ok()) {
        Out message;
        message.mutable_half_close();
        SendLocked(std::move(message), nullptr);
        // What still comes is of no interest, but its end is.
        for (; !incoming_.empty(); incoming_.pop_front()) stream->Consumed();
        return;
      }
    }
    stream->Close(std::move(status));
  }

 private:
  explicit TunnelClient(absl::AnyInvocable<void()> ended) : ended_(std::move(ended)) {}

  // `done`, where there is one, is taken if the message was sent.
  bool SendLocked(Out message, WriteDone* done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writes_.push_back(done == nullptr ? WriteDone() : std::move(*done));
    if (stream_->Send(std::move(message))) return true;
    if (done != nullptr) *done = std::move(writes_.back());
    writes_.pop_back();
    return false;
  }

  void OnMessage(In message) {
    ReadDone read;
    absl::StatusOr<std::string> now = std::string();
    {
      absl::MutexLock lock(&mutex_);
      if (message.body_case() == In::kHalfClose) {
        half_closed_ = true;
        stream_->Consumed();
      } else if (message.body_case() != In::kData || closed_) {
        stream_->Consumed();
        return;
      } else if (!read_) {
        incoming_.push_back(std::move(*message.mutable_data()));
        return;
      } else {
        now = std::move(*message.mutable_data());
        stream_->Consumed();
      }
      read = std::exchange(read_, nullptr);
    }
    if (read) read(std::move(now));
  }

  void OnWritten() {
    WriteDone done;
    {
      absl::MutexLock lock(&mutex_);
      if (writes_.empty()) return;
      done = std::move(writes_.front());
      writes_.pop_front();
    }
    if (done) done(absl::OkStatus());
  }

  void OnClosed(absl::Status status) {
    ReadDone read;
    std::deque<WriteDone> writes;
    {
      absl::MutexLock lock(&mutex_);
      status_ = status;
      read = std::exchange(read_, nullptr);
      writes = std::exchange(writes_, {});
    }
    for (WriteDone& done : writes) {
      if (done) done(absl::CancelledError("the tunnel is closed"));
    }
    if (read) read(status.ok() ? absl::StatusOr<std::string>(std::string()) : status);
    ended_();
  }

  absl::AnyInvocable<void()> ended_;
  absl::Mutex mutex_;
  std::shared_ptr<rpc::Stream<Out>> stream_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> incoming_ ABSL_GUARDED_BY(mutex_);
  ReadDone read_ ABSL_GUARDED_BY(mutex_);
  std::deque<WriteDone> writes_ ABSL_GUARDED_BY(mutex_);  // Of messages sent and not yet written.
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;      // By the other side.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;           // By this side.
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_TUNNEL_CLIENT_H_
