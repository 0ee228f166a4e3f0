#include "services/device-controller-svc/store/postgres_telemetry_store.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <set>
#include <string>

#include "services/device-controller-svc/store/postgres_telemetry_retention.h"
#include "services/device-controller-svc/store/postgres_telemetry_tables.h"
#include "services/device-controller-svc/store/telemetry_rules.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

namespace tables = postgres_telemetry_tables;
using postgres::Pool;
using tables::Transaction;

// Where days have no partition: makes them, if `alone`, so that nobody drops them before it has
// appended; else none and leaves all as it is.
std::optional<AppendedTelemetry> TryAppend(Transaction& transaction, bool alone,
                                           const TelemetryEvents& events,
                                           absl::Span<const TelemetryRow> rows) {
  alone ? tables::TakePartitions(transaction) : tables::HoldPartitions(transaction);
  const uint64_t last = tables::TakeStream(transaction, events);
  const absl::Time now = tables::Now(transaction);
  std::vector<const TelemetryRow*> fresh;
  std::set<int64_t> days;
  for (const TelemetryRow& row : rows) {
    if (row.sequence <= last) continue;
    fresh.push_back(&row);
    if (telemetry_rules::KeptByTime(row.time, now)) days.insert(tables::DayOf(row.time));
  }
  AppendedTelemetry result{.appended = static_cast<int64_t>(fresh.size()),
                           .skipped = static_cast<int64_t>(rows.size() - fresh.size()),
                           .last = std::max(last, events.last)};
  const std::set<int64_t> missing = tables::WithoutPartition(transaction, days);
  if (!missing.empty() && !alone) return std::nullopt;
  tables::MakePartitions(transaction, missing);
  if (!fresh.empty()) tables::Insert(transaction, fresh, now);
  if (events.last > last) tables::MoveStream(transaction, events);
  return result;
}

}  // namespace

absl::Status PostgresTelemetryStore::Migrate(Pool& pool) { return tables::Migrate(pool); }

absl::StatusOr<AppendedTelemetry> PostgresTelemetryStore::Append(
    const TelemetryEvents& events, absl::Span<const TelemetryRow> rows) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckAppend(events, rows));
  std::optional<AppendedTelemetry> result;
  for (const bool alone : {false, true}) {
    SKERRY_RETURN_IF_ERROR(
        pool_.Transact("append telemetry", Pool::Mode::kWrite, [&](Transaction& transaction) {
          result = TryAppend(transaction, alone, events, rows);
          return absl::OkStatus();
        }));
    if (result.has_value()) break;
  }
  return *std::move(result);
}

absl::StatusOr<std::vector<Reading>> PostgresTelemetryStore::Query(const DeviceName& device,
                                                                   const TelemetryQuery& query) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckQuery(query));
  const std::string direction = query.newest_first ? "DESC" : "ASC";
  const std::string behind = query.newest_first ? "<" : ">";
  const telemetry_rules::TimeRange range = telemetry_rules::RangeOf(query);
  const ReadingPosition after = query.after.value_or(ReadingPosition{});
  std::vector<Reading> readings;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("query telemetry", Pool::Mode::kSnapshot, [&](Transaction& transaction) {
        readings.clear();
        const pqxx::result rows = transaction.exec_params(
            "SELECT time, tie, value FROM device_readings_all WHERE series ="
            " (SELECT id FROM device_series WHERE device = $1 AND property = $2)"
            " AND time >= $3 AND time < $4 AND (NOT $5::boolean OR (time, tie) " +
                behind + " ($6::bigint, $7::bigint)) ORDER BY time " + direction + ", tie " +
                direction + " LIMIT $8",
            device.value(), query.property, range.from_micros, range.to_micros,
            query.after.has_value(), absl::ToUnixMicros(after.time), after.tie,
            static_cast<int64_t>(query.count_max));
        for (const pqxx::row& row : rows) {
          Reading reading{
              .position = {absl::FromUnixMicros(row[0].as<int64_t>()), row[1].as<int64_t>()},
              .value = pqxx::binarystring(row[2]).str()};
          reading.number = telemetry_rules::NumberOf(reading.value);
          readings.push_back(std::move(reading));
        }
        return absl::OkStatus();
      }));
  return readings;
}

absl::StatusOr<std::vector<TelemetryBucket>> PostgresTelemetryStore::Aggregate(
    const DeviceName& device, absl::string_view property, absl::Time from, absl::Time to,
    absl::Duration width) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckAggregate(property, from, to, width));
  const int64_t begin = absl::ToUnixMicros(from);
  const int64_t width_micros = absl::ToInt64Microseconds(width);
  std::vector<TelemetryBucket> buckets;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("aggregate telemetry", Pool::Mode::kSnapshot, [&](Transaction& transaction) {
        buckets.clear();
        const pqxx::result rows = transaction.exec_params(
            "SELECT (time - $3::bigint) / $5::bigint AS bucket, count(*), min(number), max(number),"
            " sum(number) / count(*), (array_agg(number ORDER BY time, tie))[1],"
            " (array_agg(number ORDER BY time DESC, tie DESC))[1]"
            " FROM device_readings_all WHERE series ="
            " (SELECT id FROM device_series WHERE device = $1 AND property = $2)"
            " AND time >= $3::bigint AND time < $4 AND number IS NOT NULL"
            " GROUP BY bucket ORDER BY bucket",
            device.value(), std::string(property), begin, absl::ToUnixMicros(to), width_micros);
        for (const pqxx::row& row : rows) {
          buckets.push_back(
              {.start = absl::FromUnixMicros(begin + row[0].as<int64_t>() * width_micros),
               .count = row[1].as<int64_t>(),
               .min = row[2].as<double>(),
               .max = row[3].as<double>(),
               .mean = row[4].as<double>(),
               .first = row[5].as<double>(),
               .last = row[6].as<double>()});
        }
        return absl::OkStatus();
      }));
  return buckets;
}

absl::StatusOr<std::vector<std::string>> PostgresTelemetryStore::Models() {
  std::vector<std::string> models;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "models of telemetry", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        models.clear();
        const pqxx::result rows =
            transaction.exec("SELECT DISTINCT model FROM device_series ORDER BY model");
        for (const pqxx::row& row : rows) models.push_back(row[0].as<std::string>());
        return absl::OkStatus();
      }));
  return models;
}

absl::StatusOr<int64_t> PostgresTelemetryStore::DropBefore(absl::string_view model,
                                                           absl::Time time) {
  SKERRY_RETURN_IF_ERROR(telemetry_rules::CheckModel(model));
  return DropTelemetryBefore(pool_, model, time);
}

}  // namespace skerry::devicecontroller
