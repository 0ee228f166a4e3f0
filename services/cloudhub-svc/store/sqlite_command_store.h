// CommandStore in a SQLite file, of a single hub.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::cloudhub {

// A commit survives power loss. A damaged file is set aside and a new store begins. Sessions are
// those of the one hub, which asks in their order: it compares no epochs. `clock` outlives it.
class SqliteCommandStore final : public CommandStore {
 public:
  // size_bytes_max: of the file; what would exceed it fails with RESOURCE_EXHAUSTED /
  // DATABASE_FULL.
  static absl::StatusOr<std::unique_ptr<SqliteCommandStore>> Open(
      const std::string& path, const CommandQueueBounds& bounds, int64_t size_bytes_max,
      Clock& clock, const sqlite::Environment& environment = {});

  absl::StatusOr<bool> Insert(const StoredCommand& command) override;
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override;
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override;
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override;
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override;
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override;
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override;

  // Where a damaged file was put at Open.
  const std::optional<std::string>& set_aside() const { return set_aside_; }

 private:
  SqliteCommandStore(std::unique_ptr<sqlite::Database> database, const CommandQueueBounds& bounds,
                     Clock& clock)
      : bounds_(bounds),
        clock_(clock),
        set_aside_(database->set_aside()),
        database_(std::move(database)) {}

  absl::Status CheckRoom(const StoredCommand& command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CommandQueueBounds bounds_;
  Clock& clock_;
  const std::optional<std::string> set_aside_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_
