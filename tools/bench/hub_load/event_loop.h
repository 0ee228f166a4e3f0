// One thread that waits for many sockets and timers.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_EVENT_LOOP_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_EVENT_LOOP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry::bench {

// All but Post is for the thread that runs it.
class EventLoop {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnReady(uint32_t events) = 0;
  };
  using TimerId = uint64_t;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // EPOLLIN and the like; again for the same `fd` to change them.
  void Watch(int fd, uint32_t events, const std::shared_ptr<Handler>& handler);
  // Before `fd` is closed; no harm if it is not watched.
  void Forget(int fd);

  TimerId After(absl::Duration delay, absl::AnyInvocable<void()> work);
  // 0 and timers that have run are no harm.
  void Cancel(TimerId timer);
  // Any thread.
  void Post(absl::AnyInvocable<void()> work);

  // Monotonic.
  static absl::Duration Now();
  // Runs until `done` holds: true; false after `limit`.
  bool RunUntil(absl::FunctionRef<bool()> done, absl::Duration limit);

 private:
  struct Watched {
    std::weak_ptr<Handler> handler;
    uint32_t generation = 0;  // An event of a file that was closed meanwhile is not the new one's.
    bool open = false;
  };

  void Wait(absl::Duration wait_max);
  void RunDue();

  const int epoll_;
  const int wake_;
  std::vector<Watched> watched_;  // By file descriptor.
  std::map<std::pair<absl::Duration, TimerId>, absl::AnyInvocable<void()>> timers_;
  std::map<TimerId, absl::Duration> timer_due_;
  TimerId last_timer_ = 0;
  absl::Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_EVENT_LOOP_H_
