#include "services/device-controller-svc/store/postgres_telemetry_retention.h"

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "services/device-controller-svc/store/postgres_telemetry_tables.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

namespace tables = postgres_telemetry_tables;
using postgres::Pool;
using tables::Transaction;

// One controller drops at a time; another one has nothing to do.
bool DropsAlone(Transaction& transaction) {
  return transaction
      .exec1("SELECT pg_try_advisory_xact_lock(hashtext('skerry device telemetry retention'))")[0]
      .as<bool>();
}

// By the series and their index, not through all readings.
bool HasOthers(Transaction& transaction, const std::string& table, const std::string& model) {
  return !transaction
              .exec_params("SELECT 1 FROM device_series AS s, LATERAL (SELECT 1 FROM " + table +
                               " AS r WHERE r.series = s.id LIMIT 1) AS found"
                               " WHERE s.model <> $1 LIMIT 1",
                           model)
              .empty();
}

// Where no other model has readings in it, it goes as a whole. Counts to kDropMax.
bool DropWhole(Transaction& transaction, int64_t day, const std::string& model, int64_t& dropped) {
  const std::string name = tables::PartitionOf(day);
  if (HasOthers(transaction, name, model)) return false;  // Before the lock: others wait for it.
  tables::TakePartitions(transaction);
  if (HasOthers(transaction, name, model)) return false;
  dropped = transaction
                .exec_params1("SELECT count(*) FROM (SELECT 1 FROM " + name + " LIMIT $1) AS found",
                              TelemetryStore::kDropMax)[0]
                .as<int64_t>();
  transaction.exec("DROP TABLE " + name);
  return true;
}

int64_t DropSome(Transaction& transaction, const std::string& table, const std::string& column,
                 const std::string& model, int64_t micros) {
  return static_cast<int64_t>(
      transaction
          .exec_params("DELETE FROM " + table +
                           " WHERE ctid = ANY(ARRAY(SELECT old.ctid FROM device_series AS s,"
                           " LATERAL (SELECT r.ctid FROM " +
                           table + " AS r WHERE r.series = s.id AND r." + column +
                           " < $2 LIMIT $3) AS old WHERE s.model = $1 LIMIT $3))",
                       model, micros, TelemetryStore::kDropMax)
          .affected_rows());
}

// That may have readings before that time.
absl::StatusOr<std::vector<int64_t>> DaysBefore(Pool& pool, int64_t micros) {
  std::vector<int64_t> days;
  SKERRY_RETURN_IF_ERROR(pool.Transact(
      "list telemetry partitions", Pool::Mode::kSnapshot, [&](Transaction& transaction) {
        days.clear();
        for (const pqxx::row& row : transaction.exec_params(
                 "SELECT day FROM (SELECT substr(c.relname, length($1::text) + 1)::bigint AS day"
                 "  FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid"
                 "  WHERE inhparent = 'device_readings'::regclass) AS days"
                 " WHERE day * $2::bigint < $3::bigint ORDER BY day",
                 tables::kPrefix, tables::kDayMicros, micros)) {
          days.push_back(row[0].as<int64_t>());
        }
        return absl::OkStatus();
      }));
  return days;
}

}  // namespace

absl::StatusOr<int64_t> DropTelemetryBefore(Pool& pool, absl::string_view model, absl::Time time) {
  const int64_t micros = absl::ToUnixMicros(time);
  const std::string name(model);
  SKERRY_ASSIGN_OR_RETURN(const std::vector<int64_t> days, DaysBefore(pool, micros));
  int64_t dropped = 0;
  // A transaction each: no partition is held while the next one is read.
  for (const int64_t day : days) {
    int64_t of_day = 0;
    SKERRY_RETURN_IF_ERROR(
        pool.Transact("drop telemetry", Pool::Mode::kWrite, [&](Transaction& transaction) {
          of_day = 0;
          if (!DropsAlone(transaction)) return absl::OkStatus();
          if (!tables::WithoutPartition(transaction, {day}).empty()) return absl::OkStatus();
          const bool over = (day + 1) * tables::kDayMicros <= micros;
          if (over && DropWhole(transaction, day, name, of_day)) return absl::OkStatus();
          of_day = DropSome(transaction, tables::PartitionOf(day), "time", name, micros);
          return absl::OkStatus();
        }));
    dropped += of_day;
    if (dropped >= TelemetryStore::kDropMax) return dropped;
  }
  int64_t stray = 0;
  SKERRY_RETURN_IF_ERROR(
      pool.Transact("drop stray telemetry", Pool::Mode::kWrite, [&](Transaction& transaction) {
        stray = 0;
        if (!DropsAlone(transaction)) return absl::OkStatus();
        stray = DropSome(transaction, "device_readings_stray", "arrive_time", name, micros);
        return absl::OkStatus();
      }));
  return dropped + stray;
}

}  // namespace skerry::devicecontroller
