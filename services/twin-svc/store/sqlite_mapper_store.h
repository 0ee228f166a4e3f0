// MapperStore in a SQLite file.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_MAPPER_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_MAPPER_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"
#include "services/twin-svc/store/mapper_store.h"

namespace skerry::twin {

// A file of its own, that does not wait for the disk: what it has need not survive a loss of power,
// and is written twice for each call of a mapper. Of a damaged file the rows that can be read go
// into a new one.
class SqliteMapperStore final : public MapperStore {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteMapperStore>> Open(
      const std::string& path, int64_t size_bytes_max = 0,
      const sqlite::Environment& environment = {});

  absl::StatusOr<std::vector<StoredMapper>> Load() override;
  absl::Status SaveMapper(const MapperRecord& record,
                          const std::vector<MapperSync::Told>& changes) override;
  absl::Status SaveTold(absl::string_view mapper,
                        const std::vector<MapperSync::Told>& changes) override;
  absl::Status Delete(absl::string_view mapper) override;
  bool whole() const override { return !repair().has_value(); }

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  explicit SqliteMapperStore(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}

  absl::Status LoadTold(std::vector<StoredMapper>& mappers);
  // Part of a transaction.
  absl::Status Write(absl::string_view mapper, const std::vector<MapperSync::Told>& changes);

  const std::unique_ptr<sqlite::Database> database_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_SQLITE_MAPPER_STORE_H_
