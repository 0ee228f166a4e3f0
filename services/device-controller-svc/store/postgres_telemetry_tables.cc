#include "services/device-controller-svc/store/postgres_telemetry_tables.h"

#include <map>
#include <optional>
#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/store/postgres_arrays.h"
#include "services/device-controller-svc/store/telemetry_rules.h"

namespace skerry::devicecontroller::postgres_telemetry_tables {
namespace {

using postgres::Pool;

// Times are microseconds of Unix time (UTC). `tie`, from the sequence, orders readings of one time
// as they came. device_readings_stray has those that are kept by their arrival.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE device_streams (
  node text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  store_id text COLLATE "C" NOT NULL,
  last bigint NOT NULL,
  update_time bigint NOT NULL,
  PRIMARY KEY (node, stream, store_id)
);
CREATE TABLE device_series (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device text COLLATE "C" NOT NULL,
  property text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  UNIQUE (device, property)
);
CREATE INDEX device_series_by_model ON device_series (model);
CREATE SEQUENCE device_reading_tie;
CREATE TABLE device_readings (
  series bigint NOT NULL,
  time bigint NOT NULL,
  tie bigint NOT NULL,
  number float8,
  value bytea NOT NULL
) PARTITION BY RANGE (time);
CREATE INDEX device_readings_by_time ON device_readings (series, time, tie);
CREATE TABLE device_readings_stray (
  series bigint NOT NULL,
  time bigint NOT NULL,
  tie bigint NOT NULL,
  number float8,
  value bytea NOT NULL,
  arrive_time bigint NOT NULL
);
CREATE INDEX device_readings_stray_by_time ON device_readings_stray (series, time, tie);
CREATE INDEX device_readings_stray_by_arrival ON device_readings_stray (arrive_time);
CREATE VIEW device_readings_all AS
  SELECT series, time, tie, number, value FROM device_readings
  UNION ALL SELECT series, time, tie, number, value FROM device_readings_stray;
CREATE FUNCTION device_telemetry_micros() RETURNS bigint LANGUAGE sql AS
  $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
)sql",
};

std::string Names(const std::set<int64_t>& days) {
  PostgresArray names;
  for (const int64_t day : days) names.AddText(PartitionOf(day));
  return names.Text();
}

constexpr char kPartitionsLock[] = "hashtext('skerry device telemetry partitions')";

using SeriesKey = std::pair<std::string, std::string>;  // Device and property.

// In the order of their names, so that two appends don't wait for each other.
std::map<SeriesKey, int64_t> SeriesOf(Transaction& transaction,
                                      const std::vector<const TelemetryRow*>& rows) {
  std::map<SeriesKey, std::string> models;
  for (const TelemetryRow* row : rows) models[{row->device.value(), row->property}] = row->model;
  PostgresArray devices, properties, texts;
  for (const auto& [key, model] : models) {
    devices.AddText(key.first);
    properties.AddText(key.second);
    texts.AddText(model);
  }
  transaction.exec_params(
      "INSERT INTO device_series (device, property, model)"
      " SELECT w.* FROM unnest($1::text[], $2::text[], $3::text[]) AS w(device, property, model)"
      " WHERE NOT EXISTS (SELECT 1 FROM device_series AS s WHERE s.device = w.device"
      "  AND s.property = w.property AND s.model = w.model)"
      " ORDER BY w.device COLLATE \"C\", w.property COLLATE \"C\""
      " ON CONFLICT (device, property) DO UPDATE SET model = EXCLUDED.model",
      devices.Text(), properties.Text(), texts.Text());
  std::map<SeriesKey, int64_t> series;
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT s.id, s.device, s.property FROM unnest($1::text[], $2::text[])"
           " AS w(device, property) JOIN device_series AS s USING (device, property)",
           devices.Text(), properties.Text())) {
    series[{row[1].as<std::string>(), row[2].as<std::string>()}] = row[0].as<int64_t>();
  }
  return series;
}

struct Columns {
  PostgresArray series, times, numbers, values;
  bool empty = true;
};

}  // namespace

absl::Status Migrate(Pool& pool) { return pool.Migrate("device telemetry", kMigrations); }

std::string PartitionOf(int64_t day) { return absl::StrCat(kPrefix, day); }

int64_t DayOf(absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  return micros / kDayMicros - (micros % kDayMicros < 0 ? 1 : 0);
}

void HoldPartitions(Transaction& transaction) {
  transaction.exec(absl::StrCat("SELECT pg_advisory_xact_lock_shared(", kPartitionsLock, ")"));
}

void TakePartitions(Transaction& transaction) {
  transaction.exec(absl::StrCat("SELECT pg_advisory_xact_lock(", kPartitionsLock, ")"));
}

std::set<int64_t> WithoutPartition(Transaction& transaction, const std::set<int64_t>& days) {
  std::set<int64_t> missing;
  if (days.empty()) return missing;
  for (const pqxx::row& row : transaction.exec_params(
           // Not by to_regclass, which answers from a cache.
           "SELECT substr(name, length($2::text) + 1)::bigint FROM unnest($1::text[]) AS name"
           " WHERE NOT EXISTS (SELECT 1 FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid"
           "  WHERE inhparent = 'device_readings'::regclass AND c.relname = name)",
           Names(days), kPrefix)) {
    missing.insert(row[0].as<int64_t>());
  }
  return missing;
}

void MakePartitions(Transaction& transaction, const std::set<int64_t>& days) {
  for (const int64_t day : days) {
    // Attached, so that nobody who reads must end first.
    const std::string name = PartitionOf(day);
    transaction.exec(absl::StrCat("CREATE TABLE ", name, " (LIKE device_readings)"));
    transaction.exec(absl::StrCat("ALTER TABLE device_readings ATTACH PARTITION ", name,
                                  " FOR VALUES FROM (", day * kDayMicros, ") TO (",
                                  (day + 1) * kDayMicros, ")"));
  }
}

absl::Time Now(Transaction& transaction) {
  return absl::FromUnixMicros(
      transaction.exec1("SELECT device_telemetry_micros()")[0].as<int64_t>());
}

uint64_t TakeStream(Transaction& transaction, const TelemetryEvents& events) {
  // Of a stream that is not there yet there is no other lock.
  transaction.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                          absl::StrCat("skerry device stream ", events.node, "\n", events.stream,
                                       "\n", events.store_id));
  const pqxx::result rows = transaction.exec_params(
      "SELECT last FROM device_streams WHERE node = $1 AND stream = $2 AND store_id = $3",
      events.node, events.stream, events.store_id);
  return rows.empty() ? 0 : static_cast<uint64_t>(rows[0][0].as<int64_t>());
}

void MoveStream(Transaction& transaction, const TelemetryEvents& events) {
  const pqxx::row row = transaction.exec_params1(
      "INSERT INTO device_streams VALUES ($1, $2, $3, $4, device_telemetry_micros())"
      " ON CONFLICT (node, stream, store_id) DO UPDATE SET last = $4,"
      " update_time = EXCLUDED.update_time RETURNING xmax = 0",
      events.node, events.stream, events.store_id, static_cast<int64_t>(events.last));
  if (!row[0].as<bool>()) return;
  // A new event store of the box: the oldest ones are forgotten.
  transaction.exec_params(
      "DELETE FROM device_streams WHERE ctid = ANY(ARRAY(SELECT ctid FROM device_streams"
      " WHERE node = $1 AND stream = $2 AND store_id <> $3"
      " ORDER BY update_time DESC OFFSET $4))",
      events.node, events.stream, events.store_id, TelemetryStore::kStoresMax - 1);
}

void Insert(Transaction& transaction, const std::vector<const TelemetryRow*>& rows,
            absl::Time arrival) {
  const std::map<SeriesKey, int64_t> series = SeriesOf(transaction, rows);
  Columns by_day, stray;
  for (const TelemetryRow* row : rows) {
    Columns& columns = telemetry_rules::KeptByTime(row->time, arrival) ? by_day : stray;
    columns.empty = false;
    columns.series.AddNumber(series.at({row->device.value(), row->property}));
    columns.times.AddNumber(absl::ToUnixMicros(row->time));
    const std::optional<double> number = telemetry_rules::NumberOf(row->value);
    number.has_value() ? columns.numbers.AddDouble(*number) : columns.numbers.AddNull();
    columns.values.AddBytes(row->value);
  }
  // In the order of the rows, so that ties are.
  constexpr char kRows[] =
      " FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::bytea[])"
      " WITH ORDINALITY AS u(series, time, number, value, place) ORDER BY place) AS w";
  if (!by_day.empty) {
    transaction.exec_params(
        std::string("INSERT INTO device_readings (series, time, tie, number, value)"
                    " SELECT series, time, nextval('device_reading_tie'), number, value") +
            kRows,
        by_day.series.Text(), by_day.times.Text(), by_day.numbers.Text(), by_day.values.Text());
  }
  if (!stray.empty) {
    transaction.exec_params(
        std::string("INSERT INTO device_readings_stray"
                    " (series, time, tie, number, value, arrive_time)"
                    " SELECT series, time, nextval('device_reading_tie'), number, value, $5") +
            kRows,
        stray.series.Text(), stray.times.Text(), stray.numbers.Text(), stray.values.Text(),
        absl::ToUnixMicros(arrival));
  }
}

}  // namespace skerry::devicecontroller::postgres_telemetry_tables
