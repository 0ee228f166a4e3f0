// Events on their way to edgehub-svc.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_QUEUE_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "services/edged-svc/core/event_correlator.h"

namespace skerry::edged {

// In order, bounded; one batch is under way at a time. One thread.
class EventQueue {
 public:
  EventQueue(size_t size_max, size_t batch_max) : size_max_(size_max), batch_max_(batch_max) {}

  // A record that still waits is replaced by a newer one of its id. False: the queue was full, and
  // the oldest that waited made room.
  bool Push(EventRecord record) {
    const auto waiting = entries_.begin() + static_cast<std::ptrdiff_t>(under_way_);
    const auto older = std::find_if(waiting, entries_.end(),
                                    [&](const EventRecord& e) { return e.id == record.id; });
    if (older != entries_.end()) {
      *older = std::move(record);
      return true;
    }
    const bool full = entries_.size() >= size_max_;
    if (full) entries_.erase(waiting);
    entries_.push_back(std::move(record));
    return !full;
  }
  // The next batch; nothing while another is under way.
  std::vector<EventRecord> Take() {
    if (under_way_ > 0) return {};
    under_way_ = std::min(batch_max_, entries_.size());
    return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(under_way_)};
  }
  // The batch was answered: so many of its first are dealt with, the others wait again.
  void Answered(size_t done) {
    const auto end = static_cast<std::ptrdiff_t>(std::min(done, under_way_));
    entries_.erase(entries_.begin(), entries_.begin() + end);
    under_way_ = 0;
  }
  size_t size() const { return entries_.size(); }

 private:
  const size_t size_max_, batch_max_;  // The latter is smaller: there is always one that waits.
  std::deque<EventRecord> entries_;
  size_t under_way_ = 0;  // So many of the first.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_QUEUE_H_
