#include "services/device-controller-svc/store/postgres_twin_history_store.h"

#include <pqxx/pqxx>
#include <string>

#include "services/device-controller-svc/store/postgres_twin_tables.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using postgres::Pool;
namespace tables = postgres_twin_tables;
using postgres_twin_tables::kColumns;
using postgres_twin_tables::Known;
using postgres_twin_tables::Rows;
using postgres_twin_tables::Transaction;
using twin_rules::Standing;
using twin_rules::Write;

// From property to property by the index, not through all that they have been.
constexpr char kStateAt[] = R"sql(
WITH RECURSIVE known(property, side) AS (
  (SELECT property, side FROM device_twin_entries WHERE device = $1
   ORDER BY property, side LIMIT 1)
  UNION ALL
  SELECT next.property, next.side FROM known, LATERAL (
    SELECT property, side FROM device_twin_entries
    WHERE device = $1 AND (property, side) > (known.property, known.side)
    ORDER BY property, side LIMIT 1) AS next)
SELECT e.property, e.side, e.uid, e.value, e.metadata, e.writer, e.write_time, e.order_major,
  e.order_minor, e.arrive_time, e.replace_time
FROM known, LATERAL (
  SELECT * FROM device_twin_entries
  WHERE device = $1 AND property = known.property AND side = known.side AND arrive_time <= $2
  ORDER BY arrive_time DESC LIMIT 1) AS e
WHERE e.replace_time IS NULL OR e.replace_time > $2 ORDER BY e.property, e.side LIMIT $3)sql";

}  // namespace

absl::Status PostgresTwinHistoryStore::Migrate(Pool& pool) { return tables::Migrate(pool); }

absl::StatusOr<AppliedValues> PostgresTwinHistoryStore::ApplyReported(
    const TwinKey& twin, absl::Span<const ReportedValue> values) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Write> writes, twin_rules::Checked(values));
  return Apply(twin, TwinSide::kReported, writes);
}

absl::StatusOr<AppliedValues> PostgresTwinHistoryStore::ApplyDesired(
    const TwinKey& twin, absl::Span<const DesiredValue> values) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Write> writes, twin_rules::Checked(values));
  return Apply(twin, TwinSide::kDesired, writes);
}

absl::StatusOr<AppliedValues> PostgresTwinHistoryStore::Apply(const TwinKey& twin, TwinSide side,
                                                              const std::vector<Write>& writes) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckKey(twin));
  AppliedValues applied;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "apply twin values", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        applied = {};
        tables::LockTwin(transaction, twin.device);
        const Known known = tables::Find(transaction, twin.device);
        SKERRY_ASSIGN_OR_RETURN(const Standing standing,
                                twin_rules::StandingOf(twin, known.device));
        applied.former = standing == Standing::kFormer;
        if (applied.former) return absl::OkStatus();
        const int64_t arrival = twin_rules::ArrivalMicros(known.device, known.now_micros);
        if (standing == Standing::kAnew) tables::ReplaceAll(transaction, twin.device, arrival);
        const auto stored = tables::Orders(transaction, twin.device, side, writes);
        const std::vector<Write> newer = twin_rules::Newer(writes, stored);
        if (newer.empty()) return absl::OkStatus();
        tables::SaveDevice(transaction, twin, false, arrival);
        tables::Store(transaction, twin, side, newer, arrival);
        if (twin_rules::AddsProperties(newer, stored)) {
          SKERRY_RETURN_IF_ERROR(
              twin_rules::CheckRoom(twin, tables::Count(transaction, twin.device, side)));
        }
        applied.properties = twin_rules::Properties(newer);
        return absl::OkStatus();
      }));
  return applied;
}

absl::StatusOr<bool> PostgresTwinHistoryStore::End(const TwinKey& twin) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckKey(twin));
  bool ended = false;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("end twin", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        tables::LockTwin(transaction, twin.device);
        const Known known = tables::Find(transaction, twin.device);
        SKERRY_ASSIGN_OR_RETURN(const Standing standing,
                                twin_rules::StandingOf(twin, known.device));
        ended = standing != Standing::kFormer;
        if (!ended) return absl::OkStatus();
        const int64_t arrival = twin_rules::ArrivalMicros(known.device, known.now_micros);
        tables::ReplaceAll(transaction, twin.device, arrival);
        tables::SaveDevice(transaction, twin, true, arrival);
        return absl::OkStatus();
      }));
  return ended;
}

absl::StatusOr<std::vector<TwinEntry>> PostgresTwinHistoryStore::Current(const DeviceName& device) {
  std::vector<TwinEntry> entries;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "read twin", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(
            entries, Rows(transaction.exec_params(
                         std::string("SELECT ") + kColumns +
                             " FROM device_twin_entries AS e WHERE device = $1"
                             " AND replace_time IS NULL ORDER BY property, side LIMIT $2",
                         device.value(), int64_t{2 * kPropertiesMax})));
        return absl::OkStatus();
      }));
  return entries;
}

absl::StatusOr<std::vector<TwinEntry>> PostgresTwinHistoryStore::History(
    const DeviceName& device, const HistoryQuery& query) {
  SKERRY_RETURN_IF_ERROR(twin_rules::CheckQuery(query));
  std::vector<TwinEntry> entries;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "read twin history", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(
            entries, Rows(transaction.exec_params(
                         std::string("SELECT ") + kColumns +
                             " FROM device_twin_entries AS e WHERE device = $1 AND property = $2"
                             " AND side = $3 AND arrive_time >= $4 AND arrive_time < $5"
                             " ORDER BY arrive_time " +
                             (query.newest_first ? "DESC" : "ASC") + " LIMIT $6",
                         device.value(), query.property, tables::Number(query.side),
                         absl::ToUnixMicros(query.from), absl::ToUnixMicros(query.to),
                         static_cast<int64_t>(query.count_max))));
        return absl::OkStatus();
      }));
  return entries;
}

absl::StatusOr<std::vector<TwinEntry>> PostgresTwinHistoryStore::StateAt(const DeviceName& device,
                                                                         absl::Time time) {
  std::vector<TwinEntry> entries;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "read former twin", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(entries, Rows(transaction.exec_params(
                                             kStateAt, device.value(), absl::ToUnixMicros(time),
                                             int64_t{2 * kPropertiesMax})));
        return absl::OkStatus();
      }));
  return entries;
}

absl::StatusOr<int64_t> PostgresTwinHistoryStore::DropHistoryBefore(absl::Time time) {
  int64_t dropped = 0;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("drop twin history", Pool::Mode::kWrite, [&](Transaction& transaction) {
        dropped = 0;
        const pqxx::row lock = transaction.exec1(
            "SELECT pg_try_advisory_xact_lock(hashtext('skerry device twin retention'))");
        if (!lock[0].as<bool>()) return absl::OkStatus();
        const int64_t micros = absl::ToUnixMicros(time);
        dropped = static_cast<int64_t>(
            transaction
                .exec_params("DELETE FROM device_twin_entries WHERE ctid = ANY(ARRAY("
                             "SELECT ctid FROM device_twin_entries WHERE replace_time <= $1"
                             " ORDER BY replace_time LIMIT $2))",
                             micros, kDropMax)
                .affected_rows());
        // What is gone, with all that it had. SKIP LOCKED: nobody waits for retention.
        transaction.exec_params(
            "DELETE FROM device_twins WHERE device IN (SELECT device FROM device_twins AS t"
            " WHERE ended AND last_time <= $1 AND NOT EXISTS (SELECT 1 FROM device_twin_entries"
            "  AS e WHERE e.device = t.device) LIMIT $2 FOR UPDATE SKIP LOCKED)",
            micros, kDropMax);
        return absl::OkStatus();
      }));
  return dropped;
}

}  // namespace skerry::devicecontroller
