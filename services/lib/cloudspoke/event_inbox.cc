#include "services/lib/cloudspoke/event_inbox.h"

#include <algorithm>
#include <utility>

namespace skerry::cloudspoke {
namespace {

constexpr size_t kOverhead = 64;

size_t Cost(const InboxEvent& event) { return event.value.size() + event.key.size() + kOverhead; }

}  // namespace

bool EventInbox::Put(const std::string& node, const std::string& hub, uint64_t epoch,
                     InboxEvent event) {
  absl::MutexLock lock(&mutex_);
  NodeEvents& waiting = nodes_[node];
  if (waiting.epoch != epoch || waiting.hub != hub)
    waiting = {.hub = hub, .epoch = epoch, .events = {}};
  waiting.refused = waiting.refused || waiting.bytes + Cost(event) > bytes_max_;
  if (waiting.refused) return false;
  waiting.bytes += Cost(event);
  waiting.events.push_back(std::move(event));
  return true;
}

EventInbox::Batch EventInbox::Peek(const std::string& node, size_t count_max) const {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return {};
  const std::deque<InboxEvent>& events = it->second.events;
  const size_t count = std::min(count_max, events.size());
  return {.hub = it->second.hub,
          .epoch = it->second.epoch,
          .events = {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count)},
          .more = events.size() > count};
}

bool EventInbox::Finish(const std::string& node, uint64_t epoch, uint64_t sequence) {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(node);
  if (it == nodes_.end() || it->second.epoch != epoch) return false;
  NodeEvents& waiting = it->second;
  while (!waiting.events.empty() && waiting.events.front().sequence <= sequence) {
    waiting.bytes -= Cost(waiting.events.front());
    waiting.events.pop_front();
  }
  if (waiting.events.empty() && !waiting.refused) nodes_.erase(it);
  return true;
}

void EventInbox::DropNode(const std::string& node) {
  absl::MutexLock lock(&mutex_);
  nodes_.erase(node);
}

}  // namespace skerry::cloudspoke
