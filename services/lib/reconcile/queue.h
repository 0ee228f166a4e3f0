// The work queue of a controller: names of objects that want a look, each at most once.
#ifndef SKERRY_SERVICES_LIB_RECONCILE_QUEUE_H_
#define SKERRY_SERVICES_LIB_RECONCILE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/reconcile/outcome.h"

namespace skerry::reconcile {

// How the queue took a result; also the values of the metric label `result`.
enum class Result { kSuccess, kRecheck, kRetry, kTerminal };

// InvalidArgument, FailedPrecondition, Unimplemented: no retry can help until the object changes.
bool IsTerminal(absl::StatusCode code);

// Keys wait in order of arrival; a key that is added while it waits is there once; a key that is
// added while a worker has it waits until that worker is done, so that no two workers ever have the
// same key. A failed key comes back after 5 ms, doubling to 5 min; success forgets the failures.
// Any thread may call any method.
class Queue {
 public:
  struct Options {
    absl::Duration backoff_min = absl::Milliseconds(5);
    absl::Duration backoff_max = absl::Minutes(5);
    size_t keys_max = 1u << 20;  // Waiting, delayed and in work together. Beyond, Add refuses.
    // Hears of each change of waiting(), with the queue's lock held: it must not block.
    std::function<void(size_t)> on_waiting = [](size_t) {};
  };

  // `clock` outlives the queue.
  Queue(Clock& clock, Options options);

  // False when the queue is full or stopped. A delayed key that is added becomes due at once.
  bool Add(absl::string_view key);
  // Due after `delay`, unless it is due earlier anyway.
  bool AddAfter(absl::string_view key, absl::Duration delay);

  // Waits for a key and hands it to the calling worker, who owes Finish. nullopt once stopped.
  std::optional<std::string> Take();
  // As Take, without waiting.
  std::optional<std::string> TryTake();
  // The worker's result for a key that it took.
  Result Finish(const std::string& key, const absl::StatusOr<Outcome>& result);

  // Take returns nullopt from now on. Idempotent.
  void Stop();

  size_t waiting() const;  // Due now.
  size_t delayed() const;
  uint64_t refused() const;

 private:
  bool KnownLocked(const std::string& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AddLocked(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DelayLocked(const std::string& key, absl::Duration delay)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PromoteDueLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<std::string> PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration NextBackoffLocked(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const Options options_;
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<std::string> ready_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> in_ready_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<absl::Duration, std::string>> timers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Duration> due_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, bool> working_ ABSL_GUARDED_BY(mutex_);  // Value: added meanwhile.
  std::unordered_map<std::string, int> failures_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::reconcile

#endif  // SKERRY_SERVICES_LIB_RECONCILE_QUEUE_H_
