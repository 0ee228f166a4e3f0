#include "services/twin-svc/store/sqlite_mapper_store.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::twin {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE mapper ("
    "  sequence INTEGER PRIMARY KEY,"  // Of the registration.
    "  name TEXT NOT NULL UNIQUE,"
    "  protocol TEXT NOT NULL,"
    "  path TEXT NOT NULL,"
    "  version TEXT NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE told ("
    "  mapper TEXT NOT NULL,"
    "  model INTEGER NOT NULL,"  // 1; of a device 0.
    "  name TEXT NOT NULL,"
    "  content BLOB NOT NULL,"  // Empty: it may have it.
    "  checksum INTEGER NOT NULL DEFAULT -1,"
    "  UNIQUE (mapper, model, name)) STRICT;",
};

absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute("DELETE FROM told WHERE mapper NOT IN (SELECT name FROM mapper)");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteMapperStore>> SqliteMapperStore::Open(
    const std::string& path, int64_t size_bytes_max, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{.path = path,
                                        .full_sync = false,
                                        .size_bytes_max = size_bytes_max,
                                        .after_repair = AfterRepair,
                                        .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "mapper store");
  return std::unique_ptr<SqliteMapperStore>(new SqliteMapperStore(*std::move(database)));
}

absl::StatusOr<std::vector<StoredMapper>> SqliteMapperStore::Load() {
  std::vector<StoredMapper> mappers;
  {
    sqlite::Statement row =
        database_->Prepare("SELECT name, protocol, path, version FROM mapper ORDER BY sequence");
    while (true) {
      SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
      if (!found) break;
      mappers.push_back({.record = {.name = row.Text(0),
                                    .protocol = row.Text(1),
                                    .path = row.Text(2),
                                    .version = row.Text(3)}});
    }
  }
  SKERRY_RETURN_IF_ERROR(LoadTold(mappers));
  return mappers;
}

absl::Status SqliteMapperStore::LoadTold(std::vector<StoredMapper>& mappers) {
  std::map<std::string, StoredMapper*> by_name;
  for (StoredMapper& mapper : mappers) by_name[mapper.record.name] = &mapper;
  sqlite::Statement row =
      database_->Prepare("SELECT mapper, model, name, content FROM told ORDER BY model DESC, name");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const auto mapper = by_name.find(row.Text(0));
    if (mapper == by_name.end()) {
      return database_->Damaged(
          absl::StrCat("what was told names a mapper that is not there: ", row.Text(0)));
    }
    mapper->second->told.push_back({row.Int(1) != 0, row.Text(2), row.Text(3)});
  }
}

absl::Status SqliteMapperStore::SaveMapper(const MapperRecord& record,
                                           const std::vector<MapperSync::Told>& changes) {
  return database_->Transaction([&]() -> absl::Status {
    SKERRY_RETURN_IF_ERROR(
        database_
            ->Prepare("INSERT OR REPLACE INTO mapper VALUES"
                      " ((SELECT coalesce(max(sequence), 0) + 1 FROM mapper), ?1, ?2, ?3, ?4,"
                      " row_checksum(?1, ?2, ?3, ?4))")
            .Bind(1, record.name)
            .Bind(2, record.protocol)
            .Bind(3, record.path)
            .Bind(4, record.version)
            .Run());
    return Write(record.name, changes);
  });
}

absl::Status SqliteMapperStore::SaveTold(absl::string_view mapper,
                                         const std::vector<MapperSync::Told>& changes) {
  return database_->Transaction([&] { return Write(mapper, changes); });
}

absl::Status SqliteMapperStore::Write(absl::string_view mapper,
                                      const std::vector<MapperSync::Told>& changes) {
  for (const MapperSync::Told& change : changes) {
    if (!change.content.has_value()) {
      SKERRY_RETURN_IF_ERROR(
          database_->Prepare("DELETE FROM told WHERE mapper = ?1 AND model = ?2 AND name = ?3")
              .Bind(1, mapper)
              .Bind(2, int64_t{change.model})
              .Bind(3, change.name)
              .Run());
      continue;
    }
    SKERRY_RETURN_IF_ERROR(database_
                               ->Prepare("INSERT OR REPLACE INTO told VALUES (?1, ?2, ?3, ?4,"
                                         " row_checksum(?1, ?2, ?3, ?4))")
                               .Bind(1, mapper)
                               .Bind(2, int64_t{change.model})
                               .Bind(3, change.name)
                               .BindBlob(4, *change.content)
                               .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteMapperStore::Delete(absl::string_view mapper) {
  return database_->Transaction([&]() -> absl::Status {
    for (const char* sql :
         {"DELETE FROM told WHERE mapper = ?1", "DELETE FROM mapper WHERE name = ?1"}) {
      SKERRY_RETURN_IF_ERROR(database_->Prepare(sql).Bind(1, mapper).Run());
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::twin
