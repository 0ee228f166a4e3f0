// JournalStore in a SQLite file.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_JOURNAL_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_JOURNAL_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/store/journal_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/open_time.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edgehub {

// A commit survives power loss. Of a damaged file the reports that can be read go into a new
// journal, which has another id. One thread at a time. The clock outlives it.
class SqliteJournal final : public JournalStore {
 public:
  // `new_id` becomes the id of a journal that is created.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(
      const std::string& path, const JournalBounds& bounds, const std::string& new_id, Clock& clock,
      const sqlite::Environment& environment = {});

  const std::string& id() const override { return id_; }
  absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> Put(
      const std::vector<link::Report>& reports) override;
  absl::StatusOr<Batch> Read(absl::string_view type, uint64_t after, size_t count_max,
                             size_t bytes_max) override;
  absl::Status Trim(absl::string_view type, uint64_t up_to) override;
  absl::StatusOr<int64_t> DropExpired() override;
  absl::StatusOr<std::map<std::string, uint64_t>> LastSequences() override;
  JournalStats stats() const override;
  absl::Status StoreEpoch(uint64_t epoch) override;

  // As it was at Open; 0 where there is none.
  uint64_t stored_epoch() const { return stored_epoch_; }

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  SqliteJournal(std::unique_ptr<sqlite::Database> database, const JournalBounds& bounds,
                Clock& clock)
      : database_(std::move(database)), bounds_(bounds), open_time_(clock) {}

  // The journal's own row, but for its id.
  struct Own {
    uint64_t acked_sequence = 0;
    uint64_t epoch = 0;
    int64_t open_micros = 0;
  };

  absl::Status Load(const std::string& new_id);
  absl::Status Save(const Own& own);
  // A scan: done once; from then on every commit updates them.
  absl::StatusOr<JournalStats> ReadStats();
  // One report of a Put, whose statistics so far are `stats`.
  absl::StatusOr<absl::StatusOr<uint64_t>> PutOne(const link::Report& report, JournalStats& stats);

  const std::unique_ptr<sqlite::Database> database_;
  const JournalBounds bounds_;
  sqlite::OpenTime open_time_;
  std::string id_;
  uint64_t stored_epoch_ = 0;
  Own own_;
  JournalStats stats_;  // But for oldest_time, which follows the clocks.
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_JOURNAL_H_
