// Delivers a store's changes to its watches, from memory while they keep up and from the log when
// they do not.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_WATCH_HUB_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_WATCH_HUB_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/store/object_store.h"

namespace skerry::kubeapi {

// The store's log, as the hub reads it.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  struct Page {
    std::vector<Change> changes;   // Of the query, in order.
    StoreRevision scanned_to = 0;  // Nothing else of the query up to here.
  };
  // At most `limit` changes of one resource (and namespace) after a revision. OUT_OF_RANGE /
  // REVISION_COMPACTED. Called on the hub's thread.
  virtual absl::StatusOr<Page> ReadChanges(const std::string& resource,
                                           const std::string& object_namespace, StoreRevision after,
                                           size_t limit) = 0;
};

// A watch is a position in the log, not a queue: a slow one costs no memory and, when the log has
// moved on without it, ends with OUT_OF_RANGE. Any thread may call it; sinks are called on the
// hub's one thread, without its lock.
class WatchHub {
 public:
  struct Options {
    size_t recent_changes_max = 4096;
    size_t recent_bytes_max = 32u << 20;
    size_t watches_max = 20000;  // Beyond: RESOURCE_EXHAUSTED / WATCHES_TOO_MANY.
    size_t batch_max = 256;      // Changes to one watch before the next has its turn.
  };

  // `tail`: all changes up to it are in the log. `log` outlives the hub.
  WatchHub(const Options& options, StoreRevision tail, ChangeLog* log);
  // Closes the watches with UNAVAILABLE.
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // Changes just committed: the revisions behind the tail, none left out.
  void Publish(std::vector<Change> changes);
  // `query.after` is a revision that the store has checked.
  absl::StatusOr<WatchId> Add(const WatchQuery& query, std::shared_ptr<WatchSink> sink);
  void Cancel(WatchId id);

  size_t watches() const;
  StoreRevision tail() const;

 private:
  // Shared with the turn under way, which may outlive the watch's entry.
  struct Receiver {
    std::shared_ptr<WatchSink> sink;
    std::atomic<bool> cancelled = false;
  };
  struct Watcher {
    WatchQuery query;
    std::shared_ptr<Receiver> receiver;
    StoreRevision position = 0;
    absl::Time progress_at;
    absl::Time ends_at;
    absl::Time retry_at = absl::InfinitePast();  // After a log that could not be read.
  };
  // What is due for one watch; made under the lock, performed without.
  struct Turn {
    WatchId id = 0;
    WatchQuery query;
    std::shared_ptr<Receiver> receiver;
    std::vector<std::shared_ptr<const Change>> changes;
    StoreRevision position = 0;  // After `changes`.
    bool read_log = false;       // They are no longer in memory: read behind `position`.
    bool progress = false;
    bool ended = false;
  };

  void Loop();
  // Blocks until something is due; empty when stopping.
  std::vector<Turn> NextTurns();
  // False: nothing is due.
  bool PlanTurn(Watcher& watcher, absl::Time now, Turn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeRecent(Watcher& watcher, Turn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time NextDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Perform(const Turn& turn);
  void PerformFromLog(const Turn& turn);
  // False: the watch is over.
  static bool Deliver(const Turn& turn, const Change& change);
  void Forget(WatchId id);

  const Options options_;
  ChangeLog* const log_;
  mutable absl::Mutex mutex_;
  absl::CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  StoreRevision tail_ ABSL_GUARDED_BY(mutex_);
  StoreRevision recent_floor_ ABSL_GUARDED_BY(mutex_);  // `recent_` holds all changes behind it.
  std::deque<std::shared_ptr<const Change>> recent_ ABSL_GUARDED_BY(mutex_);
  size_t recent_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<WatchId, Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
  WatchId next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::thread thread_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_WATCH_HUB_H_
