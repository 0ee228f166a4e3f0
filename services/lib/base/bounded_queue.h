// A queue with a byte bound, for handing work from one thread to another.
#ifndef SKERRY_SERVICES_LIB_BASE_BOUNDED_QUEUE_H_
#define SKERRY_SERVICES_LIB_BASE_BOUNDED_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry {

// FIFO of T. At the bound TryPush refuses (and counts), it never drops what was accepted. Any
// thread may call any method.
template <typename T>
class BoundedQueue {
 public:
  // bytes_max: sum of the sizes given to TryPush. An item larger than the whole bound is refused.
  explicit BoundedQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  // False when full or closed; `item` is then untouched.
  bool TryPush(T& item, size_t bytes) {
    absl::MutexLock lock(&mutex_);
    if (closed_ || bytes > bytes_max_ - bytes_) {
      ++refused_;
      return false;
    }
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    return true;
  }

  // Waits up to `timeout`; nullopt on timeout, or at once when closed and empty.
  std::optional<T> Pop(absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](BoundedQueue* q) { return q->closed_ || !q->items_.empty(); }, this),
        timeout);
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front().first);
    bytes_ -= items_.front().second;
    items_.pop_front();
    return item;
  }

  // Refuses what comes; what is inside can still be popped.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

  size_t bytes() const {
    absl::MutexLock lock(&mutex_);
    return bytes_;
  }
  uint64_t refused() const {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }

 private:
  const size_t bytes_max_;
  mutable absl::Mutex mutex_;
  std::deque<std::pair<T, size_t>> items_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_BOUNDED_QUEUE_H_
