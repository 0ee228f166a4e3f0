// Fencing epochs that never repeat, across crashes too.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_EPOCH_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_EPOCH_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::cloudhub {

// One counter for all nodes of the one hub that has this file. Epochs are reserved in blocks, so
// that a storm of sessions does not wait for the disk; a crash skips the rest of a block. Counting
// starts at the present time in microseconds, so that a hub whose store was lost still hands out
// greater ones than before. Any thread may call it; `clock` outlives it.
class EpochStore {
 public:
  static absl::StatusOr<std::unique_ptr<EpochStore>> Open(
      const std::string& path, Clock& clock, const sqlite::Environment& environment = {});

  // Greater than every epoch handed out before.
  absl::StatusOr<uint64_t> Next();

  // Where a damaged file was put at Open.
  const std::optional<std::string>& set_aside() const { return set_aside_; }

 private:
  EpochStore(std::unique_ptr<sqlite::Database> database, Clock& clock)
      : clock_(clock), set_aside_(database->set_aside()), database_(std::move(database)) {}
  absl::Status Reserve() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::optional<std::string> set_aside_;
  absl::Mutex mutex_;
  std::unique_ptr<sqlite::Database> database_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t reserved_end_ ABSL_GUARDED_BY(mutex_) = 1;  // First epoch that is not reserved.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_EPOCH_STORE_H_
