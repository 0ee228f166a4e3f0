#include "services/device-controller-svc/store/sqlite_twin_history_store.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using twin_rules::DeviceState;
using twin_rules::Standing;
using twin_rules::Write;

// An entry of the history knows when it was replaced; those that were not are the present state.
// Times are microseconds of Unix time (UTC); `side` is a TwinSide.
constexpr const char* kMigrations[] = {
    "CREATE TABLE twin ("
    "  device TEXT PRIMARY KEY,"
    "  uid TEXT NOT NULL,"
    "  incarnation INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL,"
    "  last_micros INTEGER NOT NULL) STRICT;"  // The last time of arrival.
    "CREATE TABLE entry ("
    "  device TEXT NOT NULL,"
    "  property TEXT NOT NULL,"
    "  side INTEGER NOT NULL,"
    "  arrive_micros INTEGER NOT NULL,"
    "  replace_micros INTEGER,"
    "  uid TEXT NOT NULL,"
    "  incarnation INTEGER NOT NULL,"
    "  order_major INTEGER NOT NULL,"
    "  order_minor INTEGER NOT NULL,"
    "  write_micros INTEGER NOT NULL,"
    "  writer TEXT NOT NULL,"
    "  metadata TEXT NOT NULL,"  // JSON, or empty.
    "  value BLOB,"
    "  UNIQUE (device, property, side, arrive_micros)) STRICT;"
    "CREATE UNIQUE INDEX entry_present ON entry (device, property, side)"
    "  WHERE replace_micros IS NULL;"
    "CREATE INDEX entry_replaced ON entry (replace_micros) WHERE replace_micros IS NOT NULL;"
    "CREATE INDEX twin_ended ON twin (last_micros) WHERE ended = 1;",
};

// In the order in which Row reads them.
constexpr absl::string_view kSelect =
    "SELECT property, side, uid, value, metadata, writer, write_micros, order_major, order_minor,"
    " arrive_micros, replace_micros FROM entry";

// A device whose row was lost is as its entries say.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute(
      "INSERT OR IGNORE INTO twin SELECT device, uid, max(incarnation), 0, 0 FROM entry"
      "  GROUP BY device;"
      "UPDATE twin SET last_micros = max(last_micros, coalesce((SELECT max(max(arrive_micros,"
      "  coalesce(replace_micros, 0))) FROM entry WHERE entry.device = twin.device), 0))");
}

absl::StatusOr<TwinEntry> Row(const sqlite::Statement& read) {
  TwinEntry entry{.property = read.Text(0),
                  .side = static_cast<TwinSide>(read.Int(1)),
                  .uid = read.Text(2),
                  .writer = read.Text(5),
                  .time = absl::FromUnixMicros(read.Int(6)),
                  .order = {.major = static_cast<uint64_t>(read.Int(7)),
                            .minor = static_cast<uint64_t>(read.Int(8))},
                  .arrive_time = absl::FromUnixMicros(read.Int(9))};
  if (!read.IsNull(3)) entry.value = read.Text(3);
  if (!read.IsNull(10)) entry.replace_time = absl::FromUnixMicros(read.Int(10));
  SKERRY_ASSIGN_OR_RETURN(entry.metadata, twin_rules::ReadMetadata(read.Text(4)));
  return entry;
}

absl::Status Rows(sqlite::Statement& read, std::vector<TwinEntry>& entries) {
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return absl::OkStatus();
    SKERRY_ASSIGN_OR_RETURN(TwinEntry entry, Row(read));
    entries.push_back(std::move(entry));
  }
}

int64_t Number(TwinSide side) { return static_cast<int64_t>(side); }

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTwinHistoryStore>> SqliteTwinHistoryStore::Open(
    const std::string& path, int64_t size_bytes_max, Clock& clock,
    const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open({.path = path,
                              .size_bytes_max = size_bytes_max,
                              .after_repair = AfterRepair,
                              .environment = environment},
                             kMigrations);
  if (!database.ok()) return Annotate(database.status(), "twin history");
  return std::unique_ptr<SqliteTwinHistoryStore>(
      new SqliteTwinHistoryStore(*std::move(database), clock));
}

absl::StatusOr<AppliedValues> SqliteTwinHistoryStore::ApplyReported(
    const TwinKey& twin, absl::Span<const ReportedValue> values) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<Write> writes, twin_rules::Checked(values));
  return Apply(twin, TwinSide::kReported, std::move(writes));
}

absl::StatusOr<AppliedValues> SqliteTwinHistoryStore::ApplyDesired(
    const TwinKey& twin, absl::Span<const DesiredValue> values) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<Write> writes, twin_rules::Checked(values));
  return Apply(twin, TwinSide::kDesired, std::move(writes));
}

absl::StatusOr<AppliedValues> SqliteTwinHistoryStore::Apply(const TwinKey& twin, TwinSide side,
                                                            std::vector<Write> writes) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckKey(twin));
  absl::MutexLock lock(&mutex_);
  AppliedValues applied;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceState> known, Known(twin.device));
    SKERRY_ASSIGN_OR_RETURN(const Standing standing, twin_rules::StandingOf(twin, known));
    applied.former = standing == Standing::kFormer;
    if (applied.former) return absl::OkStatus();
    const int64_t arrival = twin_rules::ArrivalMicros(known, absl::ToUnixMicros(clock_.Now()));
    if (standing == Standing::kAnew) SKERRY_RETURN_IF_ERROR(ReplaceAll(twin.device, arrival));
    SKERRY_ASSIGN_OR_RETURN(const auto stored, Orders(twin.device, side, writes));
    const std::vector<Write> newer = twin_rules::Newer(std::move(writes), stored);
    if (newer.empty()) return absl::OkStatus();
    SKERRY_RETURN_IF_ERROR(SaveDevice(twin, false, arrival));
    for (const Write& write : newer) SKERRY_RETURN_IF_ERROR(Store(twin, side, write, arrival));
    if (twin_rules::AddsProperties(newer, stored)) {
      SKERRY_ASSIGN_OR_RETURN(const int64_t count, Count(twin.device, side));
      SKERRY_RETURN_IF_ERROR(twin_rules::CheckRoom(twin, count));
    }
    applied.properties = twin_rules::Properties(newer);
    return absl::OkStatus();
  }));
  return applied;
}

absl::StatusOr<bool> SqliteTwinHistoryStore::End(const TwinKey& twin) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckKey(twin));
  absl::MutexLock lock(&mutex_);
  bool ended = false;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceState> known, Known(twin.device));
    SKERRY_ASSIGN_OR_RETURN(const Standing standing, twin_rules::StandingOf(twin, known));
    ended = standing != Standing::kFormer;
    if (!ended) return absl::OkStatus();
    const int64_t arrival = twin_rules::ArrivalMicros(known, absl::ToUnixMicros(clock_.Now()));
    SKERRY_RETURN_IF_ERROR(ReplaceAll(twin.device, arrival));
    return SaveDevice(twin, true, arrival);
  }));
  return ended;
}

absl::StatusOr<std::vector<TwinEntry>> SqliteTwinHistoryStore::Current(const DeviceName& device) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(absl::StrCat(
      kSelect, " WHERE device = ?1 AND replace_micros IS NULL ORDER BY property, side LIMIT ?2"));
  read.Bind(1, device.value()).Bind(2, int64_t{2 * kPropertiesMax});
  std::vector<TwinEntry> entries;
  SKERRY_RETURN_IF_ERROR(Rows(read, entries));
  return entries;
}

absl::StatusOr<std::vector<TwinEntry>> SqliteTwinHistoryStore::History(const DeviceName& device,
                                                                       const HistoryQuery& query) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckQuery(query));
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(
      absl::StrCat(kSelect,
                   " WHERE device = ?1 AND property = ?2 AND side = ?3"
                   " AND arrive_micros >= ?4 AND arrive_micros < ?5 ORDER BY arrive_micros ",
                   query.newest_first ? "DESC" : "ASC", " LIMIT ?6"));
  read.Bind(1, device.value()).Bind(2, query.property).Bind(3, Number(query.side));
  read.Bind(4, absl::ToUnixMicros(query.from)).Bind(5, absl::ToUnixMicros(query.to));
  read.Bind(6, static_cast<int64_t>(query.count_max));
  std::vector<TwinEntry> entries;
  SKERRY_RETURN_IF_ERROR(Rows(read, entries));
  return entries;
}

absl::StatusOr<std::vector<TwinEntry>> SqliteTwinHistoryStore::StateAt(const DeviceName& device,
                                                                       absl::Time time) {
  absl::MutexLock lock(&mutex_);
  std::vector<TwinEntry> entries;
  std::string property;
  int64_t side = -1;
  // From property to property by the index, not through all that they have been.
  while (true) {
    sqlite::Statement next = database_->Prepare(
        "SELECT property, side FROM entry WHERE device = ?1 AND (property, side) > (?2, ?3)"
        " ORDER BY property, side LIMIT 1");
    next.Bind(1, device.value()).Bind(2, property).Bind(3, side);
    SKERRY_ASSIGN_OR_RETURN(bool found, next.Step());
    if (!found) return entries;
    property = next.Text(0);
    side = next.Int(1);
    sqlite::Statement read = database_->Prepare(
        absl::StrCat("SELECT * FROM (", kSelect,
                     " WHERE device = ?1 AND property = ?2 AND side = ?3 AND arrive_micros <= ?4"
                     " ORDER BY arrive_micros DESC LIMIT 1)"
                     " WHERE replace_micros IS NULL OR replace_micros > ?4"));
    read.Bind(1, device.value()).Bind(2, property).Bind(3, side).Bind(4, absl::ToUnixMicros(time));
    SKERRY_RETURN_IF_ERROR(Rows(read, entries));
  }
}

absl::StatusOr<int64_t> SqliteTwinHistoryStore::DropHistoryBefore(absl::Time time) {
  absl::MutexLock lock(&mutex_);
  int64_t dropped = 0;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    sqlite::Statement entries = database_->Prepare(
        "DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry WHERE replace_micros <= ?1"
        " ORDER BY replace_micros LIMIT ?2)");
    SKERRY_RETURN_IF_ERROR(entries.Bind(1, absl::ToUnixMicros(time)).Bind(2, kDropMax).Run());
    dropped = database_->Changes();
    // What is gone, with all that it had.
    sqlite::Statement twins = database_->Prepare(
        "DELETE FROM twin WHERE rowid IN (SELECT rowid FROM twin WHERE ended = 1"
        " AND last_micros <= ?1 AND NOT EXISTS (SELECT 1 FROM entry"
        "  WHERE entry.device = twin.device) LIMIT ?2)");
    return twins.Bind(1, absl::ToUnixMicros(time)).Bind(2, kDropMax).Run();
  }));
  return dropped;
}

absl::StatusOr<std::optional<DeviceState>> SqliteTwinHistoryStore::Known(const DeviceName& device) {
  sqlite::Statement read =
      database_->Prepare("SELECT uid, incarnation, ended, last_micros FROM twin WHERE device = ?1");
  read.Bind(1, device.value());
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return std::nullopt;
  return std::optional(DeviceState{.uid = read.Text(0),
                                   .incarnation = read.Int(1),
                                   .ended = read.Int(2) != 0,
                                   .last_micros = read.Int(3)});
}

absl::Status SqliteTwinHistoryStore::SaveDevice(const TwinKey& twin, bool ended, int64_t arrival) {
  sqlite::Statement save =
      database_->Prepare("INSERT OR REPLACE INTO twin VALUES (?1, ?2, ?3, ?4, ?5)");
  save.Bind(1, twin.device.value()).Bind(2, twin.uid).Bind(3, twin.incarnation);
  return save.Bind(4, int64_t{ended}).Bind(5, arrival).Run();
}

absl::Status SqliteTwinHistoryStore::ReplaceAll(const DeviceName& device, int64_t arrival) {
  return database_
      ->Prepare("UPDATE entry SET replace_micros = ?2 WHERE device = ?1 AND replace_micros IS NULL")
      .Bind(1, device.value())
      .Bind(2, arrival)
      .Run();
}

absl::StatusOr<std::map<std::string, TwinOrder>> SqliteTwinHistoryStore::Orders(
    const DeviceName& device, TwinSide side, const std::vector<Write>& writes) {
  std::map<std::string, TwinOrder> orders;
  for (const Write& write : writes) {
    sqlite::Statement read = database_->Prepare(
        "SELECT order_major, order_minor FROM entry"
        " WHERE device = ?1 AND property = ?2 AND side = ?3 AND replace_micros IS NULL");
    read.Bind(1, device.value()).Bind(2, write.property).Bind(3, Number(side));
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) continue;
    orders[write.property] = {.major = static_cast<uint64_t>(read.Int(0)),
                              .minor = static_cast<uint64_t>(read.Int(1))};
  }
  return orders;
}

absl::Status SqliteTwinHistoryStore::Store(const TwinKey& twin, TwinSide side, const Write& write,
                                           int64_t arrival) {
  sqlite::Statement replace = database_->Prepare(
      "UPDATE entry SET replace_micros = ?4"
      " WHERE device = ?1 AND property = ?2 AND side = ?3 AND replace_micros IS NULL");
  replace.Bind(1, twin.device.value()).Bind(2, write.property).Bind(3, Number(side));
  SKERRY_RETURN_IF_ERROR(replace.Bind(4, arrival).Run());
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO entry (device, property, side, arrive_micros, uid, incarnation, order_major,"
      " order_minor, write_micros, writer, metadata, value)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  insert.Bind(1, twin.device.value()).Bind(2, write.property).Bind(3, Number(side));
  insert.Bind(4, arrival).Bind(5, twin.uid).Bind(6, twin.incarnation);
  insert.Bind(7, static_cast<int64_t>(write.order.major));
  insert.Bind(8, static_cast<int64_t>(write.order.minor)).Bind(9, write.time_micros);
  insert.Bind(10, write.writer).Bind(11, write.metadata);
  write.value.has_value() ? insert.BindBlob(12, *write.value) : insert.BindNull(12);
  return insert.Run();
}

absl::StatusOr<int64_t> SqliteTwinHistoryStore::Count(const DeviceName& device, TwinSide side) {
  sqlite::Statement read = database_->Prepare(
      "SELECT COUNT(*) FROM entry WHERE device = ?1 AND side = ?2 AND replace_micros IS NULL");
  read.Bind(1, device.value()).Bind(2, Number(side));
  SKERRY_RETURN_IF_ERROR(read.Step().status());
  return read.Int(0);
}

}  // namespace skerry::devicecontroller
