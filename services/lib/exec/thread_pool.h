// A bounded pool of threads for work that may block.
#ifndef SKERRY_SERVICES_LIB_EXEC_THREAD_POOL_H_
#define SKERRY_SERVICES_LIB_EXEC_THREAD_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace skerry::exec {

// Any thread may call it. At queue_max TrySubmit refuses. The destructor runs what was accepted,
// then joins.
class ThreadPool {
 public:
  // name: at most 15 characters, shown as the threads' name.
  ThreadPool(absl::string_view name, size_t threads, size_t queue_max);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False when full or stopping; `work` is then dropped unrun.
  bool TrySubmit(absl::AnyInvocable<void()> work);
  // Refuses new work, runs what was accepted, joins. Idempotent.
  void Stop();

  size_t queued() const;
  uint64_t refused() const;

 private:
  void Loop();

  const size_t queue_max_;
  mutable absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex join_mutex_;
  std::vector<std::thread> threads_;  // Emptied under join_mutex_.
};

}  // namespace skerry::exec

#endif  // SKERRY_SERVICES_LIB_EXEC_THREAD_POOL_H_
