// Events of nodes that wait to be applied, in order.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_INBOX_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_INBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace skerry::cloudspoke {

struct InboxEvent {
  uint64_t sequence = 0;
  std::string value;
  std::string key;  // What it speaks of.
};

// Any thread may call it. One stream of events; the link bounds what of it is outstanding, and this
// inbox once more.
class EventInbox {
 public:
  explicit EventInbox(size_t bytes_max_per_node) : bytes_max_(bytes_max_per_node) {}

  struct Batch {
    std::string hub;
    uint64_t epoch = 0;
    std::vector<InboxEvent> events;
    bool more = false;  // There are further ones.
  };
  // What waits of another session of the node goes: it comes again in this one. False: there was no
  // room, for this one or an earlier one of the session; so order holds.
  bool Put(const std::string& node, const std::string& hub, uint64_t epoch, InboxEvent event);
  // The first of a node, which stay until Finish.
  Batch Peek(const std::string& node, size_t count_max) const;
  // Those up to `sequence` are dealt with. False: that session has ended.
  bool Finish(const std::string& node, uint64_t epoch, uint64_t sequence);
  void DropNode(const std::string& node);

 private:
  struct NodeEvents {
    std::string hub;
    uint64_t epoch = 0;
    std::deque<InboxEvent> events;
    size_t bytes = 0;
    bool refused = false;
  };
  const size_t bytes_max_;
  mutable absl::Mutex mutex_;
  std::map<std::string, NodeEvents> nodes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_INBOX_H_
