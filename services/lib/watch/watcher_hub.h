// Tells every watch of a store what was committed.
#ifndef SKERRY_SERVICES_LIB_WATCH_WATCHER_HUB_H_
#define SKERRY_SERVICES_LIB_WATCH_WATCHER_HUB_H_

#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "services/lib/watch/change.h"
#include "services/lib/watch/watch_session.h"

namespace skerry::watch {

// Used by one thread, the one that commits. Sessions outlive their registration.
class WatcherHub {
 public:
  // `wake` is called after changes were given to `session`: its owner then pulls.
  void Add(WatchSession* session, std::function<void()> wake);
  void Remove(WatchSession* session);
  // After every commit, also one without changes: a snapshot may be complete now. In order of
  // revision. The objects are shared, not copied, however many watch.
  void Publish(std::vector<Change> changes);

  size_t size() const { return watchers_.size(); }

 private:
  std::map<WatchSession*, std::function<void()>> watchers_;
};

}  // namespace skerry::watch

#endif  // SKERRY_SERVICES_LIB_WATCH_WATCHER_HUB_H_
