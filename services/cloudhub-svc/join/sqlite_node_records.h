// NodeRecords in the joined nodes of tokens.db, and epoch.db.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_NODE_RECORDS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_NODE_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/sessions/node_records.h"
#include "services/cloudhub-svc/store/epoch_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::cloudhub {

// A connection of its own beside SqliteTokenStore's: sessions do not wait for the commits of joins,
// and their own are not synced, since what a power cut takes of them is learned again. `clock`
// outlives it.
class SqliteNodeRecords final : public NodeRecords {
 public:
  // folder: where SqliteTokenStore::Open has opened tokens.db.
  static absl::StatusOr<std::unique_ptr<SqliteNodeRecords>> Open(
      const std::string& folder, Clock& clock, const sqlite::Environment& environment = {});

  absl::StatusOr<uint64_t> Admit(const LinkingBox& box) override;
  absl::StatusOr<bool> EpochStored(const LinkingBox& box, uint64_t epoch) override;

  // Where a damaged epoch.db was put at Open.
  const std::optional<std::string>& epochs_set_aside() const { return epochs_->set_aside(); }

 private:
  SqliteNodeRecords(std::unique_ptr<sqlite::Database> database, std::unique_ptr<EpochStore> epochs,
                    Clock& clock)
      : clock_(clock), epochs_(std::move(epochs)), database_(std::move(database)) {}
  using Change =
      absl::FunctionRef<absl::StatusOr<NameRecord>(const std::optional<NameRecord>& known)>;
  // Remembers what `change` makes of what is known, or returns its error. It is called again where
  // another got in between.
  absl::Status Update(const NodeName& node, Change change);
  // NODE_DISABLED besides.
  absl::StatusOr<std::optional<NameRecord>> Find(const NodeName& node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Put(const NodeName& node, const NameRecord& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::unique_ptr<EpochStore> epochs_;
  absl::Mutex mutex_;
  std::unique_ptr<sqlite::Database> database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_NODE_RECORDS_H_
