// The tables of PostgresTelemetryStore, and their partitions.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_TABLES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_TABLES_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/postgres/pool.h"

// libpqxx's exceptions leave those that take a transaction: they are for Pool::Transact, which
// makes them statuses.
namespace skerry::devicecontroller::postgres_telemetry_tables {

using Transaction = pqxx::transaction_base;

absl::Status Migrate(postgres::Pool& pool);

// Partitions are named by the day's number, since 1970 (UTC): nothing but digits is ever put into
// an identifier.
inline constexpr char kPrefix[] = "device_readings_d";
inline constexpr int64_t kDayMicros = int64_t{24} * 3600 * 1000000;
std::string PartitionOf(int64_t day);
int64_t DayOf(absl::Time time);

// Until the transaction ends no partition goes away.
void HoldPartitions(Transaction& transaction);
// Until it ends nobody appends, and nobody else makes or drops one.
void TakePartitions(Transaction& transaction);
// Those of the days that have no partition.
std::set<int64_t> WithoutPartition(Transaction& transaction, const std::set<int64_t>& days);
void MakePartitions(Transaction& transaction, const std::set<int64_t>& days);

// The database's time.
absl::Time Now(Transaction& transaction);
// Takes the stream until the transaction ends; its last event, or 0.
uint64_t TakeStream(Transaction& transaction, const TelemetryEvents& events);
void MoveStream(Transaction& transaction, const TelemetryEvents& events);
// `arrival`: the database's time.
void Insert(Transaction& transaction, const std::vector<const TelemetryRow*>& rows,
            absl::Time arrival);

}  // namespace skerry::devicecontroller::postgres_telemetry_tables

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_TABLES_H_
