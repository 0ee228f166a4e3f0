#include "services/device-controller-svc/store/sqlite_telemetry_store.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/telemetry_rules.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

// Times are microseconds of Unix time (UTC). A reading is kept by keep_micros: its time, or where
// that is far off, its arrival. `tie` counts the readings of a time.
constexpr const char* kMigrations[] = {
    "CREATE TABLE stream ("
    "  node TEXT NOT NULL,"
    "  stream TEXT NOT NULL,"
    "  store_id TEXT NOT NULL,"
    "  last INTEGER NOT NULL,"
    "  update_micros INTEGER NOT NULL,"
    "  PRIMARY KEY (node, stream, store_id)) STRICT;"
    "CREATE TABLE series ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  device TEXT NOT NULL,"
    "  property TEXT NOT NULL,"
    "  model TEXT NOT NULL,"
    "  UNIQUE (device, property)) STRICT;"
    "CREATE INDEX series_by_model ON series (model);"
    "CREATE TABLE reading ("
    "  series INTEGER NOT NULL,"
    "  time_micros INTEGER NOT NULL,"
    "  tie INTEGER NOT NULL,"
    "  keep_micros INTEGER NOT NULL,"
    "  value BLOB NOT NULL,"
    "  PRIMARY KEY (series, time_micros, tie)) STRICT, WITHOUT ROWID;",
};

// Readings whose series was lost are nobody's.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute("DELETE FROM reading WHERE series NOT IN (SELECT id FROM series)");
}

Reading Row(const sqlite::Statement& read) {
  Reading reading{.position = {absl::FromUnixMicros(read.Int(0)), read.Int(1)},
                  .value = read.Text(2)};
  reading.number = telemetry_rules::NumberOf(reading.value);
  return reading;
}

void Add(TelemetryBucket& bucket, double number) {
  if (bucket.count == 0) bucket.first = bucket.min = bucket.max = number;
  ++bucket.count;
  bucket.min = std::min(bucket.min, number);
  bucket.max = std::max(bucket.max, number);
  bucket.mean += number;  // The sum, until all are there.
  bucket.last = number;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTelemetryStore>> SqliteTelemetryStore::Open(
    const std::string& path, int64_t size_bytes_max, Clock& clock,
    const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open({.path = path,
                              .size_bytes_max = size_bytes_max,
                              .after_repair = AfterRepair,
                              .environment = environment},
                             kMigrations);
  if (!database.ok()) return Annotate(database.status(), "telemetry store");
  return std::unique_ptr<SqliteTelemetryStore>(
      new SqliteTelemetryStore(*std::move(database), clock));
}

absl::StatusOr<AppendedTelemetry> SqliteTelemetryStore::Append(
    const TelemetryEvents& events, absl::Span<const TelemetryRow> rows) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckAppend(events, rows));
  absl::MutexLock lock(&mutex_);
  AppendedTelemetry result;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    SKERRY_ASSIGN_OR_RETURN(const uint64_t last, LastOf(events));
    for (const TelemetryRow& row : rows) {
      if (row.sequence <= last) {
        ++result.skipped;
        continue;
      }
      SKERRY_RETURN_IF_ERROR(Insert(row));
      ++result.appended;
    }
    result.last = std::max(last, events.last);
    return events.last > last ? MoveOn(events) : absl::OkStatus();
  }));
  return result;
}

absl::StatusOr<std::vector<Reading>> SqliteTelemetryStore::Query(const DeviceName& device,
                                                                 const TelemetryQuery& query) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckQuery(query));
  absl::MutexLock lock(&mutex_);
  const char* const direction = query.newest_first ? "DESC" : "ASC";
  std::string sql =
      "SELECT time_micros, tie, value FROM reading"
      " WHERE series = (SELECT id FROM series WHERE device = ?1 AND property = ?2)"
      " AND time_micros >= ?3 AND time_micros < ?4";
  if (query.after.has_value()) {
    absl::StrAppend(&sql, " AND (time_micros, tie) ", query.newest_first ? "<" : ">", " (?5, ?6)");
  }
  absl::StrAppend(&sql, " ORDER BY time_micros ", direction, ", tie ", direction, " LIMIT ?7");
  const telemetry_rules::TimeRange range = telemetry_rules::RangeOf(query);
  const ReadingPosition after = query.after.value_or(ReadingPosition{});
  sqlite::Statement read = database_->Prepare(sql);
  read.Bind(1, device.value()).Bind(2, query.property);
  read.Bind(3, range.from_micros).Bind(4, range.to_micros);
  read.Bind(5, absl::ToUnixMicros(after.time)).Bind(6, after.tie);
  read.Bind(7, static_cast<int64_t>(query.count_max));
  std::vector<Reading> readings;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return readings;
    readings.push_back(Row(read));
  }
}

absl::StatusOr<std::vector<TelemetryBucket>> SqliteTelemetryStore::Aggregate(
    const DeviceName& device, absl::string_view property, absl::Time from, absl::Time to,
    absl::Duration width) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckAggregate(property, from, to, width));
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(
      "SELECT time_micros, tie, value FROM reading"
      " WHERE series = (SELECT id FROM series WHERE device = ?1 AND property = ?2)"
      " AND time_micros >= ?3 AND time_micros < ?4 ORDER BY time_micros, tie");
  const int64_t begin = absl::ToUnixMicros(from);
  const int64_t width_micros = absl::ToInt64Microseconds(width);
  read.Bind(1, device.value()).Bind(2, property).Bind(3, begin).Bind(4, absl::ToUnixMicros(to));
  std::vector<TelemetryBucket> buckets;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) break;
    const Reading reading = Row(read);
    if (!reading.number.has_value()) continue;
    const int64_t index = (read.Int(0) - begin) / width_micros;
    const absl::Time start = absl::FromUnixMicros(begin + index * width_micros);
    if (buckets.empty() || buckets.back().start != start) buckets.push_back({.start = start});
    Add(buckets.back(), *reading.number);
  }
  for (TelemetryBucket& bucket : buckets) bucket.mean /= static_cast<double>(bucket.count);
  return buckets;
}

absl::StatusOr<std::vector<std::string>> SqliteTelemetryStore::Models() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> models;
  sqlite::Statement read = database_->Prepare("SELECT DISTINCT model FROM series ORDER BY model");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return models;
    models.push_back(read.Text(0));
  }
}

absl::StatusOr<int64_t> SqliteTelemetryStore::DropBefore(absl::string_view model, absl::Time time) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckModel(model));
  absl::MutexLock lock(&mutex_);
  const int64_t before = absl::ToUnixMicros(time);
  const int64_t now = absl::ToUnixMicros(clock_.Now());
  int64_t dropped = 0;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    std::vector<int64_t> all;
    {
      sqlite::Statement series = database_->Prepare("SELECT id FROM series WHERE model = ?1");
      series.Bind(1, model);
      while (true) {
        SKERRY_ASSIGN_OR_RETURN(bool found, series.Step());
        if (!found) break;
        all.push_back(series.Int(0));
      }
    }
    for (size_t i = 0; i < all.size() && dropped < kDropMax; ++i) {
      SKERRY_RETURN_IF_ERROR(
          Drop(all[i], std::numeric_limits<int64_t>::min(), before, before, dropped));
      // Those of a clock that is years ahead.
      SKERRY_RETURN_IF_ERROR(Drop(all[i], std::max(before, now),
                                  std::numeric_limits<int64_t>::max(), before, dropped));
    }
    return absl::OkStatus();
  }));
  return dropped;
}

absl::Status SqliteTelemetryStore::Drop(int64_t series, int64_t from, int64_t to, int64_t before,
                                        int64_t& dropped) {
  int64_t last = to;
  {
    sqlite::Statement read = database_->Prepare(
        "SELECT time_micros FROM reading WHERE series = ?1 AND time_micros >= ?2"
        " AND time_micros <= ?3 AND keep_micros < ?4 ORDER BY time_micros LIMIT 1 OFFSET ?5");
    read.Bind(1, series).Bind(2, from).Bind(3, to).Bind(4, before).Bind(5, kDropMax);
    SKERRY_ASSIGN_OR_RETURN(bool more, read.Step());
    if (more) last = read.Int(0);
  }
  sqlite::Statement remove = database_->Prepare(
      "DELETE FROM reading WHERE series = ?1 AND time_micros >= ?2 AND time_micros <= ?3"
      " AND keep_micros < ?4");
  remove.Bind(1, series).Bind(2, from).Bind(3, last).Bind(4, before);
  SKERRY_RETURN_IF_ERROR(remove.Run());
  dropped += database_->Changes();
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SqliteTelemetryStore::LastOf(const TelemetryEvents& events) {
  sqlite::Statement read = database_->Prepare(
      "SELECT last FROM stream WHERE node = ?1 AND stream = ?2 AND store_id = ?3");
  read.Bind(1, events.node).Bind(2, events.stream).Bind(3, events.store_id);
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  return found ? static_cast<uint64_t>(read.Int(0)) : 0;
}

absl::Status SqliteTelemetryStore::MoveOn(const TelemetryEvents& events) {
  sqlite::Statement write =
      database_->Prepare("INSERT OR REPLACE INTO stream VALUES (?1, ?2, ?3, ?4, ?5)");
  write.Bind(1, events.node).Bind(2, events.stream).Bind(3, events.store_id);
  write.Bind(4, static_cast<int64_t>(events.last)).Bind(5, absl::ToUnixMicros(clock_.Now()));
  SKERRY_RETURN_IF_ERROR(write.Run());
  sqlite::Statement prune = database_->Prepare(
      "DELETE FROM stream WHERE rowid IN (SELECT rowid FROM stream"
      " WHERE node = ?1 AND stream = ?2 AND store_id <> ?3"
      " ORDER BY update_micros DESC, rowid DESC LIMIT -1 OFFSET ?4)");
  prune.Bind(1, events.node).Bind(2, events.stream).Bind(3, events.store_id);
  return prune.Bind(4, kStoresMax - 1).Run();
}

absl::StatusOr<int64_t> SqliteTelemetryStore::SeriesOf(const TelemetryRow& row) {
  {
    sqlite::Statement read = database_->Prepare(
        "SELECT id FROM series WHERE device = ?1 AND property = ?2 AND model = ?3");
    read.Bind(1, row.device.value()).Bind(2, row.property).Bind(3, row.model);
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (found) return read.Int(0);
  }
  sqlite::Statement write = database_->Prepare(
      "INSERT INTO series (device, property, model) VALUES (?1, ?2, ?3)"
      " ON CONFLICT (device, property) DO UPDATE SET model = ?3 RETURNING id");
  write.Bind(1, row.device.value()).Bind(2, row.property).Bind(3, row.model);
  SKERRY_RETURN_IF_ERROR(write.Step().status());
  return write.Int(0);
}

absl::Status SqliteTelemetryStore::Insert(const TelemetryRow& row) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t series, SeriesOf(row));
  const absl::Time now = clock_.Now();
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO reading SELECT ?1, ?2, coalesce(max(tie), 0) + 1, ?3, ?4 FROM reading"
      " WHERE series = ?1 AND time_micros = ?2");
  insert.Bind(1, series).Bind(2, absl::ToUnixMicros(row.time));
  insert.Bind(3, absl::ToUnixMicros(telemetry_rules::KeptByTime(row.time, now) ? row.time : now));
  return insert.BindBlob(4, row.value).Run();
}

}  // namespace skerry::devicecontroller
