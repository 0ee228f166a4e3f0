#include "services/device-controller-svc/store/postgres_twin_tables.h"

#include <pqxx/pqxx>
#include <utility>

#include "services/device-controller-svc/store/postgres_arrays.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller::postgres_twin_tables {
namespace {

using twin_rules::DeviceState;
using twin_rules::Write;

// An entry of the history knows when it was replaced; those that were not are the present state.
// Times are microseconds of Unix time (UTC); `side` is a TwinSide. Collation "C": names are ordered
// bytewise.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE device_twins (
  device text COLLATE "C" PRIMARY KEY,
  uid text NOT NULL,
  incarnation bigint NOT NULL,
  ended boolean NOT NULL,
  last_time bigint NOT NULL  -- The last time of arrival.
);
CREATE INDEX device_twins_ended ON device_twins (last_time) WHERE ended;
CREATE TABLE device_twin_entries (
  device text COLLATE "C" NOT NULL,
  property text COLLATE "C" NOT NULL,
  side smallint NOT NULL,
  arrive_time bigint NOT NULL,
  replace_time bigint,
  uid text NOT NULL,
  incarnation bigint NOT NULL,
  order_major bigint NOT NULL,
  order_minor bigint NOT NULL,
  write_time bigint NOT NULL,
  writer text NOT NULL,
  metadata text NOT NULL,  -- JSON, or empty.
  value bytea,
  PRIMARY KEY (device, property, side, arrive_time)
);
CREATE UNIQUE INDEX device_twin_entries_present ON device_twin_entries (device, property, side)
  WHERE replace_time IS NULL;
CREATE INDEX device_twin_entries_replaced ON device_twin_entries (replace_time)
  WHERE replace_time IS NOT NULL;
CREATE FUNCTION device_twin_micros() RETURNS bigint LANGUAGE sql AS
  $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
)sql",
};

absl::StatusOr<TwinEntry> Row(const pqxx::row& row) {
  TwinEntry entry{.property = row[0].as<std::string>(),
                  .side = static_cast<TwinSide>(row[1].as<int>()),
                  .uid = row[2].as<std::string>(),
                  .writer = row[5].as<std::string>(),
                  .time = absl::FromUnixMicros(row[6].as<int64_t>()),
                  .order = {.major = static_cast<uint64_t>(row[7].as<int64_t>()),
                            .minor = static_cast<uint64_t>(row[8].as<int64_t>())},
                  .arrive_time = absl::FromUnixMicros(row[9].as<int64_t>())};
  if (!row[3].is_null()) entry.value = pqxx::binarystring(row[3]).str();
  if (!row[10].is_null()) entry.replace_time = absl::FromUnixMicros(row[10].as<int64_t>());
  SKERRY_ASSIGN_OR_RETURN(entry.metadata, twin_rules::ReadMetadata(row[4].as<std::string>()));
  return entry;
}

std::string PropertyArray(const std::vector<Write>& writes) {
  PostgresArray properties;
  for (const Write& write : writes) properties.AddText(write.property);
  return properties.Text();
}

}  // namespace

absl::Status Migrate(postgres::Pool& pool) { return pool.Migrate("device twins", kMigrations); }

int16_t Number(TwinSide side) { return static_cast<int16_t>(side); }

absl::StatusOr<std::vector<TwinEntry>> Rows(const pqxx::result& result) {
  std::vector<TwinEntry> entries;
  for (const pqxx::row& row : result) {
    SKERRY_ASSIGN_OR_RETURN(TwinEntry entry, Row(row));
    entries.push_back(std::move(entry));
  }
  return entries;
}

void LockTwin(Transaction& transaction, const DeviceName& device) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                          "skerry device twin " + device.value());
}

Known Find(Transaction& transaction, const DeviceName& device) {
  const pqxx::row row = transaction.exec_params1(
      "SELECT device_twin_micros(), uid, incarnation, ended, last_time"
      " FROM (VALUES (1)) AS one LEFT JOIN device_twins ON device = $1",
      device.value());
  Known known{.now_micros = row[0].as<int64_t>()};
  if (!row[1].is_null()) {
    known.device = DeviceState{.uid = row[1].as<std::string>(),
                               .incarnation = row[2].as<int64_t>(),
                               .ended = row[3].as<bool>(),
                               .last_micros = row[4].as<int64_t>()};
  }
  return known;
}

void SaveDevice(Transaction& transaction, const TwinKey& twin, bool ended, int64_t arrival) {
  transaction.exec_params(
      "INSERT INTO device_twins VALUES ($1, $2, $3, $4, $5) ON CONFLICT (device) DO UPDATE"
      " SET uid = $2, incarnation = $3, ended = $4, last_time = $5",
      twin.device.value(), twin.uid, twin.incarnation, ended, arrival);
}

void ReplaceAll(Transaction& transaction, const DeviceName& device, int64_t arrival) {
  transaction.exec_params(
      "UPDATE device_twin_entries SET replace_time = $2"
      " WHERE device = $1 AND replace_time IS NULL",
      device.value(), arrival);
}

std::map<std::string, TwinOrder> Orders(Transaction& transaction, const DeviceName& device,
                                        TwinSide side, const std::vector<Write>& writes) {
  std::map<std::string, TwinOrder> orders;
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT property, order_major, order_minor FROM device_twin_entries WHERE device = $1"
           " AND side = $2 AND replace_time IS NULL AND property = ANY($3::text[])",
           device.value(), Number(side), PropertyArray(writes))) {
    orders[row[0].as<std::string>()] = {.major = static_cast<uint64_t>(row[1].as<int64_t>()),
                                        .minor = static_cast<uint64_t>(row[2].as<int64_t>())};
  }
  return orders;
}

void Store(Transaction& transaction, const TwinKey& twin, TwinSide side,
           const std::vector<Write>& writes, int64_t arrival) {
  const std::string properties = PropertyArray(writes);
  transaction.exec_params(
      "UPDATE device_twin_entries SET replace_time = $4 WHERE device = $1 AND side = $2"
      " AND replace_time IS NULL AND property = ANY($3::text[])",
      twin.device.value(), Number(side), properties, arrival);
  PostgresArray majors, minors, times, writers, metadata, values;
  for (const Write& write : writes) {
    majors.AddNumber(static_cast<int64_t>(write.order.major));
    minors.AddNumber(static_cast<int64_t>(write.order.minor));
    times.AddNumber(write.time_micros);
    writers.AddText(write.writer);
    metadata.AddText(write.metadata);
    write.value.has_value() ? values.AddBytes(*write.value) : values.AddNull();
  }
  transaction.exec_params(
      "INSERT INTO device_twin_entries (device, side, arrive_time, uid, incarnation, property,"
      " order_major, order_minor, write_time, writer, metadata, value)"
      " SELECT $1, $2, $3, $4, $5, w.* FROM unnest($6::text[], $7::bigint[], $8::bigint[],"
      " $9::bigint[], $10::text[], $11::text[], $12::bytea[]) AS w",
      twin.device.value(), Number(side), arrival, twin.uid, twin.incarnation, properties,
      majors.Text(), minors.Text(), times.Text(), writers.Text(), metadata.Text(), values.Text());
}

int64_t Count(Transaction& transaction, const DeviceName& device, TwinSide side) {
  return transaction
      .exec_params1(
          "SELECT count(*) FROM device_twin_entries"
          " WHERE device = $1 AND side = $2 AND replace_time IS NULL",
          device.value(), Number(side))[0]
      .as<int64_t>();
}

}  // namespace skerry::devicecontroller::postgres_twin_tables
