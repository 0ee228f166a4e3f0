#include "services/twin-svc/store/sqlite_twin_store.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "api/skerry/twin/v1/twin_record.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), version_floor INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "INSERT INTO store VALUES (1, 0, row_checksum(0));"
    "CREATE TABLE twin ("
    "  device TEXT PRIMARY KEY,"
    "  uid TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  write_ids BLOB NOT NULL,"  // WriteIds.
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE property ("
    "  device TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  property BLOB NOT NULL,"  // skerry.twin.v1.Property, without `desired`.
    "  checksum INTEGER NOT NULL DEFAULT -1,"
    "  UNIQUE (device, name)) STRICT;",
};

// More than any number of changes whose rows a damaged file may have lost.
constexpr char kVersionsLost[] = "4294967296";

// Properties of a twin that is gone belong to no device that is known: it is declared again.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute(absl::StrCat(
      "DELETE FROM property WHERE device NOT IN (SELECT device FROM twin);"
      "UPDATE twin SET generation = 0, version = version + ",
      kVersionsLost,
      ";"
      "UPDATE twin SET checksum = row_checksum(device, uid, generation, version, write_ids);"
      "INSERT INTO store VALUES (1, 0, -1) ON CONFLICT DO NOTHING;"
      "UPDATE store SET version_floor = 2 * ",
      kVersionsLost,
      "  + max(version_floor, coalesce((SELECT max(version) FROM twin), 0));"
      "UPDATE store SET checksum = row_checksum(version_floor)"));
}

absl::Status BadRow(absl::string_view table, absl::string_view device) {
  return absl::DataLossError(absl::StrCat("a row of ", table, " does not parse: device ", device));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTwinStore>> SqliteTwinStore::Open(
    const std::string& path, int64_t size_bytes_max, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{.path = path,
                                        .size_bytes_max = size_bytes_max,
                                        .keep_room = true,
                                        .after_repair = AfterRepair,
                                        .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "twin store");
  return std::unique_ptr<SqliteTwinStore>(new SqliteTwinStore(*std::move(database)));
}

absl::StatusOr<StoredTwins> SqliteTwinStore::Load() {
  StoredTwins stored;
  {
    sqlite::Statement row = database_->Prepare("SELECT version_floor FROM store");
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return database_->Damaged("the twin store's own row is missing");
    stored.version_floor = static_cast<uint64_t>(row.Int(0));
  }
  SKERRY_RETURN_IF_ERROR(LoadTwins(stored));
  SKERRY_RETURN_IF_ERROR(LoadProperties(stored));
  return stored;
}

absl::Status SqliteTwinStore::LoadTwins(StoredTwins& stored) {
  sqlite::Statement row =
      database_->Prepare("SELECT device, uid, generation, version, write_ids FROM twin");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(row.Text(0));
    v1::WriteIds ids;
    if (!device.ok() || !ids.ParseFromString(row.Text(4))) {
      return database_->Damaged(BadRow("twin", row.Text(0)).message());
    }
    stored.twins[*device] = {.uid = row.Text(1),
                             .generation = row.Int(2),
                             .version = static_cast<uint64_t>(row.Int(3)),
                             .write_ids = {ids.ids().begin(), ids.ids().end()}};
  }
}

absl::Status SqliteTwinStore::LoadProperties(StoredTwins& stored) {
  sqlite::Statement row = database_->Prepare("SELECT device, name, property FROM property");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(row.Text(0));
    v1::Property message;
    if (!device.ok() || stored.twins.count(*device) == 0 || !message.ParseFromString(row.Text(2))) {
      return database_->Damaged(BadRow("property", row.Text(0)).message());
    }
    absl::StatusOr<Property> property = FromProto(message);
    if (!property.ok()) return database_->Damaged(BadRow("property", row.Text(0)).message());
    stored.twins.at(*device).properties[row.Text(1)] = *std::move(property);
  }
}

absl::Status SqliteTwinStore::Save(const std::vector<TwinUpdate>& updates) {
  return database_->Transaction([&]() -> absl::Status {
    for (const TwinUpdate& update : updates) {
      SKERRY_RETURN_IF_ERROR(update.twin == nullptr ? Delete(update.device) : Write(update));
    }
    return absl::OkStatus();
  });
}

absl::Status SqliteTwinStore::Write(const TwinUpdate& update) {
  const std::string& device = update.device.value();
  const Twin& twin = *update.twin;
  v1::WriteIds ids;
  for (const std::string& id : twin.write_ids) ids.add_ids(id);
  SKERRY_RETURN_IF_ERROR(database_
                             ->Prepare("INSERT OR REPLACE INTO twin VALUES (?1, ?2, ?3, ?4, ?5,"
                                       " row_checksum(?1, ?2, ?3, ?4, ?5))")
                             .Bind(1, device)
                             .Bind(2, twin.uid)
                             .Bind(3, twin.generation)
                             .Bind(4, static_cast<int64_t>(twin.version))
                             .BindBlob(5, ids.SerializeAsString())
                             .Run());
  for (const std::string& name : update.properties) {
    const auto it = twin.properties.find(name);
    if (it == twin.properties.end()) {
      SKERRY_RETURN_IF_ERROR(
          database_->Prepare("DELETE FROM property WHERE device = ?1 AND name = ?2")
              .Bind(1, device)
              .Bind(2, name)
              .Run());
      continue;
    }
    SKERRY_RETURN_IF_ERROR(database_
                               ->Prepare("INSERT OR REPLACE INTO property VALUES (?1, ?2, ?3,"
                                         " row_checksum(?1, ?2, ?3))")
                               .Bind(1, device)
                               .Bind(2, name)
                               .BindBlob(3, ToProto(it->second).SerializeAsString())
                               .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteTwinStore::Delete(const DeviceName& device) {
  SKERRY_RETURN_IF_ERROR(
      database_
          ->Prepare("UPDATE store SET version_floor = max(version_floor,"
                    " coalesce((SELECT version FROM twin WHERE device = ?1), 0))")
          .Bind(1, device.value())
          .Run());
  SKERRY_RETURN_IF_ERROR(
      database_->Prepare("UPDATE store SET checksum = row_checksum(version_floor)").Run());
  for (const char* sql :
       {"DELETE FROM property WHERE device = ?1", "DELETE FROM twin WHERE device = ?1"}) {
    SKERRY_RETURN_IF_ERROR(database_->Prepare(sql).Bind(1, device.value()).Run());
  }
  return absl::OkStatus();
}

}  // namespace skerry::twin
