// TwinStore in a SQLite file.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

// One row a property: a commit writes what changed. Of a damaged file the rows that can be read go
// into a new store. There every twin has generation 0, so that its Device is declared again, and a
// version far above that of any row.
class SqliteTwinStore final : public TwinStore {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteTwinStore>> Open(
      const std::string& path, int64_t size_bytes_max = 0,
      const sqlite::Environment& environment = {});

  absl::StatusOr<StoredTwins> Load() override;
  absl::Status Save(const std::vector<TwinUpdate>& updates) override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  explicit SqliteTwinStore(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  absl::Status LoadTwins(StoredTwins& stored);
  absl::Status LoadProperties(StoredTwins& stored);
  // Parts of a transaction.
  absl::Status Write(const TwinUpdate& update);
  absl::Status Delete(const DeviceName& device);

  const std::unique_ptr<sqlite::Database> database_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_TWIN_STORE_H_
