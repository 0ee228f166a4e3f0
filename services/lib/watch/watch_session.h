// One watch: snapshot or catch-up, then changes as they are committed.
#ifndef SKERRY_SERVICES_LIB_WATCH_WATCH_SESSION_H_
#define SKERRY_SERVICES_LIB_WATCH_WATCH_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/watch/change.h"
#include "services/lib/watch/source.h"

namespace skerry::watch {

// What a watcher is sent. `resume_revision` is where a watch may resume after it; nullopt inside a
// snapshot.
struct Event {
  enum class Kind { kUpserted, kDeleted, kSynced };
  Kind kind;
  ChangePtr change;  // Null for kSynced.
  std::optional<int64_t> resume_revision;
};

// Decides what one watcher is sent next; the owner pulls as fast as the watcher reads. The whole
// snapshot is never in memory: objects not yet sent are read later, in the state they then have, so
// a change of one of them is left to the snapshot; a change of one already sent waits in a queue
// with a byte bound. Used by one thread, the one that commits to `source`, which outlives it.
class WatchSession {
 public:
  // resume_revision: nullopt for a snapshot.
  WatchSession(std::set<std::string> types, std::optional<int64_t> resume_revision, Source& source,
               size_t queue_bytes_max);

  // A committed change, in order of revision.
  void OnChange(const ChangePtr& change);

  // The next events, up to about `bytes_max`, at least one if there is any; empty: nothing for now.
  // Errors end the watch: OUT_OF_RANGE / RESUME_TOKEN_EXPIRED, RESOURCE_EXHAUSTED / SLOW_WATCHER,
  // or the source's.
  absl::StatusOr<std::vector<Event>> Next(size_t bytes_max);

  // Where an idle watcher may resume; nullopt before `synced` or while something waits.
  std::optional<int64_t> BookmarkRevision() const;

  // The watcher fell too far behind: Next() says so.
  bool overflowed() const { return too_slow_; }

  size_t queued_bytes() const { return queued_bytes_; }

 private:
  enum class Phase { kSnapshot, kCatchUp, kLive };

  absl::Status ReadSnapshot(size_t bytes_max, std::vector<Event>& events);
  absl::Status ReadLog(size_t bytes_max, std::vector<Event>& events);
  void TakeQueued(size_t bytes_max, std::vector<Event>& events);

  const std::set<std::string> types_;
  Source& source_;
  const size_t queue_bytes_max_;
  Phase phase_;
  Position position_;  // Snapshot: the last object sent.
  int64_t revision_;   // Everything up to it was sent, or is in the snapshot.
  int64_t seen_ = 0;   // The newest revision that passed OnChange.
  std::deque<ChangePtr> queue_;
  size_t queued_bytes_ = 0;
  bool too_slow_ = false;
};

}  // namespace skerry::watch

#endif  // SKERRY_SERVICES_LIB_WATCH_WATCH_SESSION_H_
