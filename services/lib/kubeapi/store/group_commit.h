// One writer for many: writes that wait together are committed together, so that they share one
// sync.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_GROUP_COMMIT_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_GROUP_COMMIT_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/lib/kubeapi/store/write_op.h"

namespace skerry::kubeapi {

struct PendingWrite {
  WriteOp op;
  std::optional<absl::StatusOr<StoreRevision>> result;  // Set by the commit function.
};

// Any thread may Submit, and waits there for its result. The commit function runs on the one writer
// thread.
class GroupCommit {
 public:
  struct Options {
    size_t group_max = 128;             // Writes in one commit.
    size_t group_bytes_max = 4u << 20;  // Of JSON; a larger single write goes alone.
    size_t waiting_max = 4096;          // Beyond: RESOURCE_EXHAUSTED / WRITES_WAITING.
    absl::Duration idle_interval = absl::Seconds(5);  // `idle` is called at least that often.
  };

  // commit: makes the writes durable, sets every result. idle: upkeep between commits.
  GroupCommit(const Options& options, std::function<void(absl::Span<PendingWrite* const>)> commit,
              std::function<void()> idle);
  // Commits what waits.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  absl::StatusOr<StoreRevision> Submit(WriteOp op);
  // Not yet taken up.
  size_t waiting() const;

 private:
  // On its submitter's stack.
  struct Waiting {
    PendingWrite write;
    absl::CondVar done;
  };

  void Loop();
  void CommitGroup(const std::vector<Waiting*>& group);
  std::vector<Waiting*> TakeGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !waiting_.empty();
  }

  const Options options_;
  const std::function<void(absl::Span<PendingWrite* const>)> commit_;
  const std::function<void()> idle_;
  mutable absl::Mutex mutex_;
  std::deque<Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_GROUP_COMMIT_H_
