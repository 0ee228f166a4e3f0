// TwinStore in a SQLite file.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"
#include "services/twin-svc/store/reading_table.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

struct TwinStoreBounds {
  int64_t size_bytes_max = 0;  // Of the file; 0: none.
  ReadingBounds readings;
};

// One row a property: a commit writes what changed. Of a damaged file the rows that can be read go
// into a new store. There every twin has generation 0, so that its Device is declared again, and a
// version far above that of any row; readings go up under another producer. Where there is no room
// the oldest readings make some.
class SqliteTwinStore final : public TwinStore {
 public:
  // The clock outlives it.
  static absl::StatusOr<std::unique_ptr<SqliteTwinStore>> Open(
      const std::string& path, const TwinStoreBounds& bounds, Clock& clock,
      const sqlite::Environment& environment = {});

  absl::StatusOr<StoredTwins> Load() override;
  absl::Status Save(const std::vector<TwinUpdate>& updates) override;
  const ReadingState& readings() const override { return readings_.state(); }
  int64_t SizeBytes() override { return database_->SizeBytes(); }
  absl::Status SaveProgress(const Progress& progress) override;
  absl::StatusOr<bool> DropExpiredReadings() override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  SqliteTwinStore(std::unique_ptr<sqlite::Database> database, const ReadingBounds& bounds,
                  Clock& clock)
      : database_(std::move(database)), readings_(*database_, bounds, clock) {}

  absl::Status LoadTwins(StoredTwins& stored);
  absl::Status LoadProperties(StoredTwins& stored);
  absl::Status LoadReported(StoredTwins& stored);
  // One transaction, from which readings make room of `room` bytes first.
  absl::Status Change(int64_t room, absl::FunctionRef<absl::Status()> body);
  // Parts of a transaction.
  absl::Status Write(const TwinUpdate& update);
  absl::Status Delete(const DeviceName& device);

  const std::unique_ptr<sqlite::Database> database_;
  ReadingTable readings_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_
