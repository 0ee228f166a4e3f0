#include "services/device-controller-svc/store/sqlite_registry_store.h"

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/registry_rules.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

// Times are microseconds of Unix time (UTC). `generation` of `registry` is the last that was given.
constexpr const char* kMigrations[] = {
    "CREATE TABLE registry (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL)"
    "  STRICT;"
    "INSERT INTO registry VALUES (1, 0);"
    "CREATE TABLE device ("
    "  device TEXT PRIMARY KEY,"
    "  uid TEXT NOT NULL,"
    "  node TEXT NOT NULL,"
    "  model TEXT NOT NULL,"
    "  protocol TEXT NOT NULL,"
    "  enabled INTEGER NOT NULL,"
    "  disable_reason TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  incarnation INTEGER NOT NULL,"
    "  create_micros INTEGER NOT NULL,"
    "  update_micros INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX device_by_node ON device (node, device);"
    "CREATE INDEX device_by_model ON device (model, device);"
    "CREATE INDEX device_disabled ON device (device) WHERE enabled = 0;",
};

// In the order in which Row reads them.
constexpr absl::string_view kColumns =
    "device, uid, node, model, protocol, enabled, disable_reason, generation, incarnation,"
    " create_micros, update_micros";

absl::StatusOr<DeviceRecord> Row(const sqlite::Statement& read) {
  absl::StatusOr<DeviceName> device = DeviceName::Parse(read.Text(0));
  if (!device.ok()) return absl::DataLossError("a row of the registry has no name of a device");
  return DeviceRecord{.object = {.device = *std::move(device),
                                 .uid = read.Text(1),
                                 .node = read.Text(2),
                                 .model = read.Text(3),
                                 .protocol = read.Text(4)},
                      .enabled = read.Int(5) != 0,
                      .disable_reason = read.Text(6),
                      .generation = read.Int(7),
                      .incarnation = read.Int(8),
                      .create_time = absl::FromUnixMicros(read.Int(9)),
                      .update_time = absl::FromUnixMicros(read.Int(10))};
}

// Only the conditions that are asked for, so that an index serves them. Parameters 1 to 5; LIMIT is
// the last.
std::string ListSql(const DeviceFilter& filter) {
  std::string sql = absl::StrCat("SELECT ", kColumns, " FROM device WHERE ");
  // '0' follows '/'. One lower bound: SQLite would begin at whichever of two.
  absl::StrAppend(&sql, filter.device_namespace.empty()
                            ? "device > ?1"
                            : "device > max(?1, ?2 || '/') AND device < ?2 || '0'");
  if (!filter.node.empty()) absl::StrAppend(&sql, " AND node = ?3");
  if (!filter.model.empty()) absl::StrAppend(&sql, " AND model = ?4");
  if (filter.enabled.has_value())
    absl::StrAppend(&sql, " AND enabled = ", *filter.enabled ? "1" : "0");
  return absl::StrCat(sql, " ORDER BY device LIMIT ?5");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteRegistryStore>> SqliteRegistryStore::Open(
    const std::string& path, int64_t size_bytes_max, Clock& clock,
    const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open({.path = path,
                              .size_bytes_max = size_bytes_max,
                              .set_aside_damaged = false,
                              .environment = environment},
                             kMigrations);
  if (!database.ok()) return Annotate(database.status(), "device registry");
  // Counting begins at the present time, so that a registry that was lost gives higher ones than
  // before.
  SKERRY_RETURN_IF_ERROR((*database)
                             ->Prepare("UPDATE registry SET generation = ?1 WHERE generation = 0")
                             .Bind(1, absl::ToUnixMicros(clock.Now()))
                             .Run());
  return std::unique_ptr<SqliteRegistryStore>(new SqliteRegistryStore(*std::move(database), clock));
}

absl::StatusOr<DeviceRecord> SqliteRegistryStore::Put(const RegisteredDevice& object) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckObject(object));
  absl::MutexLock lock(&mutex_);
  std::optional<DeviceRecord> record;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> present, Find(object.device));
    record = registry_rules::Recorded(present, object);
    return record == present ? absl::OkStatus() : Write(*record);
  }));
  return *std::move(record);
}

absl::StatusOr<std::optional<DeviceRecord>> SqliteRegistryStore::Get(const DeviceName& device) {
  absl::MutexLock lock(&mutex_);
  return Find(device);
}

absl::StatusOr<std::vector<DeviceRecord>> SqliteRegistryStore::List(
    const DeviceFilter& filter, const std::optional<DeviceName>& after, size_t count_max) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckList(filter, count_max));
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(ListSql(filter));
  read.Bind(1, after.has_value() ? after->value() : "").Bind(2, filter.device_namespace);
  read.Bind(3, filter.node).Bind(4, filter.model).Bind(5, static_cast<int64_t>(count_max));
  std::vector<DeviceRecord> records;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return records;
    SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, Row(read));
    records.push_back(std::move(record));
  }
}

absl::StatusOr<DeviceRecord> SqliteRegistryStore::SetEnabled(
    const DeviceName& device, bool enabled, absl::string_view reason,
    const std::optional<std::string>& expected_etag) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckReason(enabled, reason));
  absl::MutexLock lock(&mutex_);
  std::optional<DeviceRecord> record;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> present, Find(device));
    SKERRY_ASSIGN_OR_RETURN(
        record, registry_rules::Switched(present, device, enabled, reason, expected_etag));
    return record == present ? absl::OkStatus() : Write(*record);
  }));
  return *std::move(record);
}

absl::StatusOr<bool> SqliteRegistryStore::Delete(const DeviceName& device, absl::string_view uid) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckUid(uid));
  absl::MutexLock lock(&mutex_);
  sqlite::Statement remove =
      database_->Prepare("DELETE FROM device WHERE device = ?1 AND (?2 = '' OR uid = ?2)");
  remove.Bind(1, device.value()).Bind(2, uid);
  SKERRY_RETURN_IF_ERROR(remove.Run());
  return database_->Changes() > 0;
}

absl::StatusOr<std::optional<DeviceRecord>> SqliteRegistryStore::Find(const DeviceName& device) {
  sqlite::Statement read =
      database_->Prepare(absl::StrCat("SELECT ", kColumns, " FROM device WHERE device = ?1"));
  read.Bind(1, device.value());
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return std::nullopt;
  SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, Row(read));
  return std::optional(std::move(record));
}

absl::Status SqliteRegistryStore::Write(DeviceRecord& record) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t generation, NextGeneration());
  registry_rules::Stamp(record, generation, absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now())));
  sqlite::Statement write = database_->Prepare(
      "INSERT OR REPLACE INTO device VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  write.Bind(1, record.object.device.value()).Bind(2, record.object.uid);
  write.Bind(3, record.object.node).Bind(4, record.object.model).Bind(5, record.object.protocol);
  write.Bind(6, int64_t{record.enabled}).Bind(7, record.disable_reason);
  write.Bind(8, record.generation).Bind(9, record.incarnation);
  write.Bind(10, absl::ToUnixMicros(record.create_time));
  write.Bind(11, absl::ToUnixMicros(record.update_time));
  return write.Run();
}

absl::StatusOr<int64_t> SqliteRegistryStore::NextGeneration() {
  sqlite::Statement next =
      database_->Prepare("UPDATE registry SET generation = generation + 1 RETURNING generation");
  SKERRY_ASSIGN_OR_RETURN(bool found, next.Step());
  if (!found) return database_->Damaged("the registry's own row is missing");
  return next.Int(0);
}

}  // namespace skerry::devicecontroller
