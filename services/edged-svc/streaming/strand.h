// Work in order, one at a time, on whatever threads bring it.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STRAND_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STRAND_H_

#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace skerry::edged {

// The owner of one connection's state, without a thread of its own: what comes while other work
// runs waits for it, also where that other work itself brought it. Any thread may call it, without
// locks that the work takes. Work must not block; it may destroy the strand. What waits is bounded
// by the calls that are under way: each brings one answer.
class Strand {
 public:
  void Run(absl::AnyInvocable<void()> work) {
    const std::shared_ptr<Queue> queue = queue_;
    {
      absl::MutexLock lock(&queue->mutex);
      queue->work.push_back(std::move(work));
      if (std::exchange(queue->running, true)) return;
    }
    while (RunNext(*queue)) {
    }
  }

 private:
  struct Queue {
    absl::Mutex mutex;
    std::deque<absl::AnyInvocable<void()>> work ABSL_GUARDED_BY(mutex);
    bool running ABSL_GUARDED_BY(mutex) = false;
  };

  static bool RunNext(Queue& queue) {
    absl::AnyInvocable<void()> next;
    {
      absl::MutexLock lock(&queue.mutex);
      if (queue.work.empty()) return queue.running = false;
      next = std::move(queue.work.front());
      queue.work.pop_front();
    }
    next();
    return true;
  }

  const std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STRAND_H_
