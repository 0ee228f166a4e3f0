// Where the API server keeps its objects: versioned values, conditional writes, lists at one
// revision, watches.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_OBJECT_STORE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_OBJECT_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::kubeapi {

// What Kubernetes calls resourceVersion: one counter for all resources of a store; every write
// takes the next value, from 1. 0 stands for "none" or "the current one".
using StoreRevision = int64_t;

struct ObjectKey {
  std::string resource;          // "pods", "deployments.apps".
  std::string object_namespace;  // Empty: cluster scoped.
  std::string name;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// `json` never holds metadata.resourceVersion: the store gives `revision` and the reader puts it
// in.
struct StoredObject {
  ObjectKey key;
  std::string json;
  StoreRevision revision = 0;  // Of the write that made this state.
};

struct ListQuery {
  std::string resource;
  std::string object_namespace;  // Empty: all namespaces (or cluster scoped objects).
  StoreRevision revision =
      0;  // The state as of this revision; 0: now. A continue token carries the first page's.
  // Only objects behind this (namespace, name); nullopt: from the start.
  struct Position {
    std::string object_namespace;
    std::string name;
  };
  std::optional<Position> after;
  size_t limit = 0;  // 0: all.
};

struct ListPage {
  std::vector<StoredObject> items;  // By (namespace, name), bytewise.
  StoreRevision revision = 0;  // The state that the page shows; a watch from here misses nothing.
  bool more = false;           // Ask again with `revision` and the last item's position.
};

enum class ChangeKind { kAdded, kModified, kDeleted };

// One write, as the log keeps it. With `previous`, a filtered watch can turn a modification into an
// appearance or a disappearance.
struct Change {
  StoreRevision revision = 0;  // Of this write; a deletion has its own.
  ChangeKind kind = ChangeKind::kAdded;
  ObjectKey key;
  std::string object;                   // The new state; the last one for kDeleted.
  std::string previous;                 // The state before; empty for kAdded.
  StoreRevision previous_revision = 0;  // 0 for kAdded.
};

struct WatchQuery {
  std::string resource;
  std::string object_namespace;  // Empty: all.
  StoreRevision after = 0;       // Changes with a greater revision; 0: from now on.
  absl::Duration progress_interval =
      absl::InfiniteDuration();                        // OnProgress that often (bookmarks).
  absl::Duration lifetime = absl::InfiniteDuration();  // Then OnClosed(OK).
};

// Receives one watch. Calls come from the store's delivery thread, one after the other, in the
// order of revisions, none left out; they must not block (hand on to a bounded stream).
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // False ends the watch without OnClosed: the receiver is gone or too slow.
  virtual bool OnChange(const Change& change) = 0;
  // All changes up to `revision` (of any resource) were delivered.
  virtual bool OnProgress(StoreRevision revision) = 0;
  // Last call. OK: the lifetime is over. OUT_OF_RANGE: changes that it had yet to see were
  // compacted. UNAVAILABLE: the store ends or has lost its database.
  virtual void OnClosed(const absl::Status& status) = 0;
};

using WatchId = uint64_t;

// Any thread may call it; calls block (up to the store's own timeout). It outlives its watches'
// sinks' use of it: end the HTTP server first. A write is durable before its revision is returned.
//
// Errors beside those named below: UNAVAILABLE (database away or busy), RESOURCE_EXHAUSTED (full,
// or too many writes wait), UNKNOWN / COMMIT_IN_DOUBT (the connection broke during a commit: read
// to find out).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // NOT_FOUND.
  virtual absl::StatusOr<StoredObject> Get(const ObjectKey& key) = 0;
  // OUT_OF_RANGE / REVISION_COMPACTED: `revision` is older than the log ("410 Expired").
  // INVALID_ARGUMENT / REVISION_IN_FUTURE: not written yet.
  virtual absl::StatusOr<ListPage> List(const ListQuery& query) = 0;

  // ALREADY_EXISTS.
  virtual absl::StatusOr<StoreRevision> Create(const ObjectKey& key, absl::string_view json) = 0;
  // NOT_FOUND; ABORTED / REVISION_CONFLICT when the stored revision is not `expected` (0: any).
  virtual absl::StatusOr<StoreRevision> Update(const ObjectKey& key, absl::string_view json,
                                               StoreRevision expected) = 0;
  // As Update. `last_json`, unless empty, becomes the last state in the log (a final metadata
  // change).
  virtual absl::StatusOr<StoreRevision> Delete(const ObjectKey& key, StoreRevision expected,
                                               absl::string_view last_json = {}) = 0;

  // OUT_OF_RANGE / REVISION_COMPACTED, INVALID_ARGUMENT / REVISION_IN_FUTURE at once; else changes
  // follow. The sink is kept until the watch ends.
  virtual absl::StatusOr<WatchId> Watch(const WatchQuery& query,
                                        std::shared_ptr<WatchSink> sink) = 0;
  // At most a call that is under way still reaches the sink. Unknown and ended ids are ignored. May
  // be called from within the sink.
  virtual void CancelWatch(WatchId id) = 0;

  // Of the newest write; 0 in a new store.
  virtual absl::StatusOr<StoreRevision> CurrentRevision() = 0;
  // Lists and watches work from this revision on.
  virtual absl::StatusOr<StoreRevision> CompactedRevision() = 0;
  // For readiness: the database answers.
  virtual absl::Status Check() = 0;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_OBJECT_STORE_H_
