// Checkpoints in a SQLite file.
#ifndef SKERRY_SERVICES_EDGED_SVC_STORE_SQLITE_CHECKPOINT_STORE_H_
#define SKERRY_SERVICES_EDGED_SVC_STORE_SQLITE_CHECKPOINT_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/store/checkpoint_store.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edged {

class SqliteCheckpointStore final : public CheckpointStore {
 public:
  // path: a file whose folder exists. Of a damaged one, what can be read and what was in the last
  // copy goes on; the runtime still knows what runs.
  static absl::StatusOr<std::unique_ptr<SqliteCheckpointStore>> Open(
      const std::string& path, const sqlite::Environment& environment = {});

  absl::Status Put(const PodCheckpoint& checkpoint) override;
  absl::Status Delete(absl::string_view uid) override;
  absl::StatusOr<std::vector<PodCheckpoint>> Load() override;
  // Copies the file beside itself, if it has changed since the last copy of this process.
  absl::Status WriteCopy();
  // What was done at Open, where the file was damaged.
  std::optional<sqlite::Repair> repair() const;

 private:
  explicit SqliteCheckpointStore(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  mutable absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
  bool copied_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STORE_SQLITE_CHECKPOINT_STORE_H_
