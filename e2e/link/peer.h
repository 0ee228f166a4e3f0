// One end of a bidirectional stream, for tests: sends, and waits for what comes.
#ifndef SKERRY_E2E_LINK_PEER_H_
#define SKERRY_E2E_LINK_PEER_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/rpc/bidi_client.h"

namespace skerry::e2e {

// Any thread may call it.
template <typename In, typename Out>
class Peer {
 public:
  // `start(context, reactor)` starts the call.
  template <typename Start>
  explicit Peer(const Start& start) : state_(std::make_shared<State>()) {
    stream_ = rpc::DialBidi<In, Out>(start, {},
                                     {.on_message =
                                          [state = state_](In message) {
                                            absl::MutexLock lock(&state->mutex);
                                            state->received.push_back(std::move(message));
                                          },
                                      .on_closed =
                                          [state = state_](absl::Status status) {
                                            absl::MutexLock lock(&state->mutex);
                                            state->closed = std::move(status);
                                          }});
  }
  ~Peer() {
    stream_->Close(absl::CancelledError("the test is over"));
    (void)AwaitClosed();
  }

  void Send(Out message) { stream_->Send(std::move(message)); }
  void Close() { stream_->Close(absl::OkStatus()); }

  // The next message that `wanted` takes; those before it are dropped. Nothing after 20 s or the
  // end.
  std::optional<In> Await(const std::function<bool(const In&)>& wanted) {
    absl::MutexLock lock(&state_->mutex);
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (true) {
      const auto some = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
        return !state_->received.empty() || state_->closed.has_value();
      };
      if (!state_->mutex.AwaitWithDeadline(absl::Condition(&some), deadline)) return std::nullopt;
      if (state_->received.empty()) return std::nullopt;
      In message = std::move(state_->received.front());
      state_->received.pop_front();
      if (wanted(message)) return message;
    }
  }

  // The status with which the stream ended; UNKNOWN after 20 s.
  absl::Status AwaitClosed() {
    absl::MutexLock lock(&state_->mutex);
    const auto closed = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mutex) {
      return state_->closed.has_value();
    };
    if (!state_->mutex.AwaitWithTimeout(absl::Condition(&closed), absl::Seconds(20))) {
      return absl::UnknownError("the stream is still open");
    }
    return *state_->closed;
  }

 private:
  struct State {
    absl::Mutex mutex;
    std::deque<In> received ABSL_GUARDED_BY(mutex);
    std::optional<absl::Status> closed ABSL_GUARDED_BY(mutex);
  };

  const std::shared_ptr<State> state_;
  std::shared_ptr<rpc::Stream<Out>> stream_;
};

}  // namespace skerry::e2e

#endif  // SKERRY_E2E_LINK_PEER_H_
