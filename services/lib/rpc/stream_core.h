// The state machine that the four stream reactors of this folder share. Not for use elsewhere.
#ifndef SKERRY_SERVICES_LIB_RPC_STREAM_CORE_H_
#define SKERRY_SERVICES_LIB_RPC_STREAM_CORE_H_

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/bundle.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/stream.h"

namespace skerry::rpc::internal {

// What a reactor does for the machine. Called under the machine's lock; gRPC never runs a reaction
// inside.
template <typename Out>
class Transport {
 public:
  virtual void StartRead() = 0;
  virtual void StartWrite(const Out& message) = 0;
  // No write is in flight and none will follow. Server: Finish. Client: half-close, or cancel for
  // errors.
  virtual void StartEnd(const absl::Status& status) = 0;
  virtual void Cancel() = 0;

 protected:
  ~Transport() = default;
};

// Outlives its reactor, because owners keep it: Detach cuts the tie in OnDone. The reactor's
// reactions call On…; owners call the rest from any thread.
template <typename Out>
class StreamCore final : public Stream<Out>, public std::enable_shared_from_this<StreamCore<Out>> {
 public:
  StreamCore(const StreamOptions& options, Transport<Out>* transport)
      : options_(options), transport_(transport) {}

  bool Send(Out message) override {
    size_t bytes = message.ByteSizeLong();
    absl::MutexLock lock(&mutex_);
    if (transport_ == nullptr || closing_ || broken_) return false;
    if (pending_bytes_ + bytes > options_.pending_bytes_max) {
      FailWith(
          Error(absl::StatusCode::kResourceExhausted, "the reader is too slow for what is sent")
              .Reason("SLOW_READER"));
      return false;
    }
    pending_bytes_ += bytes;
    queue_.emplace_back(std::move(message), bytes);
    Advance();
    return true;
  }

  size_t pending_bytes() const override {
    absl::MutexLock lock(&mutex_);
    return pending_bytes_;
  }

  void SendBundles() override {
    absl::MutexLock lock(&mutex_);
    bundles_ = true;
  }

  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    if (transport_ == nullptr || closing_) return;
    closed_by_us_ = true;
    BeginClose(std::move(status));
  }

  void Consumed() override {
    absl::MutexLock lock(&mutex_);
    if (unconsumed_ > 0) --unconsumed_;
    MaybeRead();
  }

  uint32_t ReadAfterWrite() override {
    absl::MutexLock lock(&mutex_);
    read_after_write_ = true;
    return ++read_waits_;
  }
  void ReadOn(uint32_t wait) override {
    absl::MutexLock lock(&mutex_);
    if (wait == read_waits_) ReadNow();
  }

  // ---- For reactors.

  void StartReading() {
    absl::MutexLock lock(&mutex_);
    want_read_ = true;
    MaybeRead();
  }

  // A message came: true if the owner should have it. Call NextRead after it was handed over.
  bool OnReadDone() {
    absl::MutexLock lock(&mutex_);
    ++unconsumed_;
    return !discarding_;
  }
  void NextRead() { StartReading(); }

  // The peer broke a rule of the stream: what waits is dropped, both ends are told `status`.
  void Fail(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    if (transport_ != nullptr && !closing_) FailWith(std::move(status));
  }

  // Client only: nothing will be written any more, not even the half-close.
  void OnInputEnded() {
    absl::MutexLock lock(&mutex_);
    Break();
    ended_ = true;
  }

  // Server only: the client half-closed (or is gone, then OnCancel follows).
  void OnHalfClosed() {
    absl::MutexLock lock(&mutex_);
    if (transport_ != nullptr && !closing_) BeginClose(absl::OkStatus());
  }

  // Server only.
  void OnCancel() {
    absl::MutexLock lock(&mutex_);
    Break();
    if (!closing_) {
      closing_ = true;
      outcome_ = absl::CancelledError("the client is gone");
    }
    Advance();
  }

  // True if everything accepted has been written.
  bool OnWriteDone(bool ok) {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    pending_bytes_ -= in_flight_.second;
    in_flight_ = {};
    if (!ok) Break();
    Advance();
    return ok && pending_bytes_ == 0;
  }

  // From OnDone: the reactor is about to be deleted.
  void Detach() {
    std::unique_ptr<grpc::Alarm> alarm;
    std::unique_ptr<grpc::Alarm> gathering;
    absl::MutexLock lock(&mutex_);
    transport_ = nullptr;
    DropQueue();
    alarm = std::move(alarm_);
    gathering = std::move(gathering_);
  }

  bool closed_by_us() const {
    absl::MutexLock lock(&mutex_);
    return closed_by_us_;
  }
  // Ended by this machine, for what the peer did or did not do.
  bool failed() const {
    absl::MutexLock lock(&mutex_);
    return failed_;
  }
  // What the stream is being ended with; OK before that.
  absl::Status outcome() const {
    absl::MutexLock lock(&mutex_);
    return outcome_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // What waits goes along, as far as it may.
  void Bundle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if constexpr (Bundled<Out>) {
      auto& [bundle, bytes] = in_flight_;
      while (bundles_ && !queue_.empty() && bytes + queue_.front().second <= kBundleBytesMax &&
             bundle.following_size() + 1 < kBundleMessagesMax) {
        *bundle.add_following() = std::move(queue_.front().first);
        bytes += queue_.front().second;
        queue_.pop_front();
      }
    }
  }

  void FailWith(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    DropQueue();
    failed_ = true;
    BeginClose(std::move(status));
  }

  void BeginClose(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    closing_ = true;
    outcome_ = std::move(status);
    ReadNow();
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(DeadlineIn(options_.close_timeout),
                [self = this->shared_from_this()](bool expired) {
                  if (expired) self->OnCloseTimeout();
                });
    Advance();
  }

  void OnCloseTimeout() {
    absl::MutexLock lock(&mutex_);
    if (transport_ != nullptr) CancelCall();
  }

  void CancelCall() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Break();
    discarding_ = true;  // Read on to the end, else nobody learns of it.
    transport_->Cancel();
    MaybeRead();
  }

  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    broken_ = true;
    DropQueue();
  }

  void DropQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const auto& [message, bytes] : queue_) pending_bytes_ -= bytes;
    queue_.clear();
  }

  void ReadNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    read_after_write_ = false;
    MaybeRead();
  }

  void MaybeRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (transport_ == nullptr || !want_read_) return;
    if (read_after_write_ && !discarding_) return;
    if (!discarding_ && options_.unconsumed_max > 0 && unconsumed_ >= options_.unconsumed_max)
      return;
    want_read_ = false;
    transport_->StartRead();
  }

  // True if what waits is to wait for more that goes along.
  bool Gathers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!bundles_ || closing_ || pending_bytes_ >= kBundleBytesMax ||
        queue_.size() >= kBundleMessagesMax) {
      return false;
    }
    if (gathering_ != nullptr) return true;
    if (!last_write_.has_value()) return false;
    const absl::Duration rest =
        options_.bundle_pause - absl::FromChrono(Clock::now() - *last_write_);
    if (rest <= absl::ZeroDuration()) return false;
    gathering_ = std::make_unique<grpc::Alarm>();
    gathering_->Set(DeadlineIn(rest),
                    [self = this->shared_from_this()](bool) { self->OnGathered(); });
    return true;
  }

  void OnGathered() {
    std::unique_ptr<grpc::Alarm> alarm;
    absl::MutexLock lock(&mutex_);
    alarm = std::move(gathering_);
    last_write_.reset();
    Advance();
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (transport_ == nullptr || writing_ || ended_) return;
    if (!queue_.empty()) {
      if (Gathers()) return;
      writing_ = true;
      in_flight_ = std::move(queue_.front());
      queue_.pop_front();
      Bundle();
      if (bundles_) last_write_ = Clock::now();
      transport_->StartWrite(in_flight_.first);
      ReadNow();
    } else if (closing_) {
      ended_ = true;
      if (!outcome_.ok()) discarding_ = true;
      transport_->StartEnd(outcome_);
      MaybeRead();
    }
  }

  const StreamOptions options_;
  mutable absl::Mutex mutex_;
  Transport<Out>* transport_ ABSL_GUARDED_BY(mutex_);  // Null once the reactor is gone.
  // A list, because an empty one takes nothing: of a hub's streams nearly all are.
  std::list<std::pair<Out, size_t>> queue_ ABSL_GUARDED_BY(mutex_);
  std::pair<Out, size_t> in_flight_ ABSL_GUARDED_BY(mutex_);
  size_t pending_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // With the one in flight.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool bundles_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;  // outcome_ is decided; Send refuses.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;    // StartEnd was called, or must not be any more.
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;   // Writing makes no sense any more.
  bool closed_by_us_ ABSL_GUARDED_BY(mutex_) = false;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool want_read_ ABSL_GUARDED_BY(mutex_) = false;  // No read is in flight and one should be.
  bool read_after_write_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t read_waits_ ABSL_GUARDED_BY(mutex_) = 0;  // How often it was set.
  bool discarding_ ABSL_GUARDED_BY(mutex_) = false;  // What is read is of no interest any more.
  size_t unconsumed_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Alarm> gathering_ ABSL_GUARDED_BY(mutex_);  // Ends the pause.
  // Where it bundles; none: nothing is to wait for.
  std::optional<Clock::time_point> last_write_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::rpc::internal

#endif  // SKERRY_SERVICES_LIB_RPC_STREAM_CORE_H_
