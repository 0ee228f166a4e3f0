// One thread that runs posted work in order: the owner of a session's or a machine's state.
#ifndef SKERRY_SERVICES_LIB_EXEC_SERIAL_EXECUTOR_H_
#define SKERRY_SERVICES_LIB_EXEC_SERIAL_EXECUTOR_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"

namespace skerry::exec {

// Work posted from any thread runs in order, never two at a time, on one thread of its own. Delayed
// work runs at or after its time. Owners bound what they post (by flow control of their source).
// Everything that posted work refers to must outlive Stop().
class SerialExecutor {
 public:
  using TimerId = uint64_t;

  SerialExecutor(absl::string_view name, Clock& clock);
  ~SerialExecutor();  // Stop().
  SerialExecutor(const SerialExecutor&) = delete;
  SerialExecutor& operator=(const SerialExecutor&) = delete;

  // False, and `work` is dropped, after Stop() has begun.
  bool Post(absl::AnyInvocable<void()> work);
  // As Post, but where nothing runs or waits, `work` runs here and now: it saves the hand-over to
  // the thread, which costs more than what is small. The caller holds no lock that work of this
  // executor takes.
  bool PostOrRun(absl::AnyInvocable<void()> work);
  // Work that is due when other work is posted runs before that: after FakeClock::Advance(),
  // Run([] {}) returns when everything that became due has run.
  TimerId PostAfter(absl::Duration delay, absl::AnyInvocable<void()> work);
  // Work that has not begun never will. From another thread it may just be running.
  void Cancel(TimerId id);

  // Drops delayed work, runs what is queued, joins. Not from its own thread. Idempotent.
  void Stop();
  // Runs `work` on the executor and waits for it; not from its own thread. False, without having
  // run it, after Stop() has begun.
  bool Run(absl::AnyInvocable<void()> work);

 private:
  struct Queued {
    TimerId timer = 0;  // 0: posted without delay.
    absl::AnyInvocable<void()> work;
  };
  struct Waiting {
    const SerialExecutor* self;
    absl::Duration until;
  };

  void Loop();
  void QueueDueTimers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool Wakes(Waiting* waiting) ABSL_NO_THREAD_SAFETY_ANALYSIS;  // Evaluated under mutex_.

  Clock& clock_;
  absl::Mutex mutex_;
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<absl::Duration, TimerId>, absl::AnyInvocable<void()>> timers_
      ABSL_GUARDED_BY(mutex_);
  // Every timer that has neither begun nor been cancelled, due or not.
  std::map<TimerId, absl::Duration> timer_due_ ABSL_GUARDED_BY(mutex_);
  TimerId next_timer_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // Some work, on whatever thread.
  std::atomic<std::thread::id> runner_;           // That thread.
  absl::Mutex join_mutex_;
  std::thread thread_;  // Joined under join_mutex_.
};

}  // namespace skerry::exec

#endif  // SKERRY_SERVICES_LIB_EXEC_SERIAL_EXECUTOR_H_
