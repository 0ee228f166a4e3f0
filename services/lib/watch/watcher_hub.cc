#include "services/lib/watch/watcher_hub.h"

#include <utility>

namespace skerry::watch {

void WatcherHub::Add(WatchSession* session, std::function<void()> wake) {
  watchers_.emplace(session, std::move(wake));
}

void WatcherHub::Remove(WatchSession* session) { watchers_.erase(session); }

void WatcherHub::Publish(std::vector<Change> changes) {
  for (Change& change : changes) {
    auto shared = std::make_shared<const Change>(std::move(change));
    for (auto& [session, wake] : watchers_) session->OnChange(shared);
  }
  std::vector<std::function<void()>> wakes;  // A watch may end, and remove itself, when woken.
  wakes.reserve(watchers_.size());
  for (auto& [session, wake] : watchers_) wakes.push_back(wake);
  for (std::function<void()>& wake : wakes) wake();
}

}  // namespace skerry::watch
