// CommandStore in a SQLite file.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/edgehub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/open_time.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edgehub {

// A commit survives power loss. Of a damaged file the records that can be read go into a new store.
// One thread at a time. The clock outlives it.
class SqliteCommandStore final : public CommandStore {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteCommandStore>> Open(
      const std::string& path, const CommandBounds& bounds, Clock& clock,
      const sqlite::Environment& environment = {});

  link::edge::CommandRecord Begin(const link::Command& command, bool may_start) override;
  absl::StatusOr<Finished> Finish(absl::string_view key, const absl::Status& status,
                                  absl::string_view response) override;
  absl::Status Forget(absl::string_view key) override;
  link::edge::CommandRecord Read(absl::string_view key) override;
  absl::StatusOr<int64_t> DropExpired() override;
  CommandStats stats() const override { return stats_; }

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  SqliteCommandStore(std::unique_ptr<sqlite::Database> database, const CommandBounds& bounds,
                     Clock& clock)
      : database_(std::move(database)), bounds_(bounds), open_time_(clock) {}

  absl::Status Load();
  absl::StatusOr<CommandStats> ReadStats();
  // A part of a transaction. fresh: there is a new record.
  absl::StatusOr<link::edge::CommandRecord> TryBegin(const link::Command& command, bool may_start,
                                                     bool& fresh);
  absl::Status Damaged(absl::string_view key);
  absl::StatusOr<link::edge::CommandRecord> TryRead(absl::string_view key);
  // A part of a transaction: until `response_bytes` is within the bound; how many.
  absl::StatusOr<int64_t> DropResponses(int64_t& response_bytes);

  const std::unique_ptr<sqlite::Database> database_;
  const CommandBounds bounds_;
  sqlite::OpenTime open_time_;
  CommandStats stats_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_COMMAND_STORE_H_
