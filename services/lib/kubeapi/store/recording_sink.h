// A watch's receiver that remembers, for tests.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_RECORDING_SINK_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_RECORDING_SINK_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/store/object_store.h"

namespace skerry::kubeapi {

// Any thread may call it.
class RecordingSink final : public WatchSink {
 public:
  bool OnChange(const Change& change) override {
    absl::MutexLock lock(&mutex_);
    changes_.push_back(change);
    return accept_;
  }
  bool OnProgress(StoreRevision revision) override {
    absl::MutexLock lock(&mutex_);
    progress_.push_back(revision);
    return accept_;
  }
  void OnClosed(const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    closed_ = status;
  }

  // The next call ends the watch.
  void Refuse() {
    absl::MutexLock lock(&mutex_);
    accept_ = false;
  }

  // Waits; what there is after the deadline of a test.
  std::vector<Change> WaitForChanges(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return changes_.size() >= count;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kDeadline);
    return changes_;
  }
  std::vector<StoreRevision> WaitForProgress(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return progress_.size() >= count;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kDeadline);
    return progress_;
  }
  std::optional<absl::Status> WaitForClosed() {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_.has_value(); };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kDeadline);
    return closed_;
  }

 private:
  static constexpr absl::Duration kDeadline = absl::Seconds(20);

  absl::Mutex mutex_;
  std::vector<Change> changes_ ABSL_GUARDED_BY(mutex_);
  std::vector<StoreRevision> progress_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
  bool accept_ ABSL_GUARDED_BY(mutex_) = true;
};

// "2 modified ns/name object<previous"
inline std::string Describe(const Change& change) {
  const char* const kinds[] = {"added", "modified", "deleted"};
  return absl::StrCat(change.revision, " ", kinds[static_cast<int>(change.kind)], " ",
                      change.key.object_namespace, "/", change.key.name, " ", change.object, "<",
                      change.previous, "@", change.previous_revision);
}

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_RECORDING_SINK_H_
