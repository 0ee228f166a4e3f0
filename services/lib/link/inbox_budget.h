// Bounds what one peer may have waiting for our threads.
#ifndef SKERRY_SERVICES_LIB_LINK_INBOX_BUDGET_H_
#define SKERRY_SERVICES_LIB_LINK_INBOX_BUDGET_H_

#include <atomic>
#include <cstddef>

namespace skerry::link {

// Any thread may call it. A stream can't be told to pause, so a peer that sends faster than its
// shard works, for that long, is cut off instead (L4, L8).
class InboxBudget {
 public:
  explicit InboxBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  // False when it is used up; nothing is taken then.
  bool Take(size_t bytes) {
    if (bytes_.fetch_add(bytes) + bytes <= bytes_max_) return true;
    bytes_.fetch_sub(bytes);
    return false;
  }
  void GiveBack(size_t bytes) { bytes_.fetch_sub(bytes); }

 private:
  const size_t bytes_max_;
  std::atomic<size_t> bytes_ = 0;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_INBOX_BUDGET_H_
