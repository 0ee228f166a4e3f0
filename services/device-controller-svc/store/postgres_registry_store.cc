#include "services/device-controller-svc/store/postgres_registry_store.h"

#include <cstdint>
#include <pqxx/pqxx>
#include <utility>

#include "services/device-controller-svc/store/registry_rules.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

using postgres::Pool;
using Transaction = pqxx::transaction_base;

// Times are microseconds of Unix time (UTC). Collation "C": names are ordered bytewise. The
// sequence gives generations: it never goes back, also where a device is deleted. It begins at the
// present time, so that a registry that was lost gives higher ones than before.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE SEQUENCE device_generation;
SELECT setval('device_generation', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
CREATE TABLE device_registry (
  device text COLLATE "C" PRIMARY KEY,
  uid text NOT NULL,
  node text NOT NULL,
  model text NOT NULL,
  protocol text NOT NULL,
  enabled boolean NOT NULL,
  disable_reason text NOT NULL,
  generation bigint NOT NULL,
  incarnation bigint NOT NULL,
  create_time bigint NOT NULL,
  update_time bigint NOT NULL
);
CREATE INDEX device_registry_by_node ON device_registry (node, device);
CREATE INDEX device_registry_by_model ON device_registry (model, device);
CREATE INDEX device_registry_disabled ON device_registry (device) WHERE NOT enabled;
CREATE FUNCTION device_registry_micros() RETURNS bigint LANGUAGE sql AS
  $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
)sql",
};

// In the order in which Row reads them.
constexpr char kSelect[] =
    "SELECT device, uid, node, model, protocol, enabled, disable_reason, generation, incarnation,"
    " create_time, update_time FROM device_registry";

absl::StatusOr<DeviceRecord> Row(const pqxx::row& row) {
  absl::StatusOr<DeviceName> device = DeviceName::Parse(row[0].as<std::string>());
  if (!device.ok()) return absl::DataLossError("a row of the registry has no name of a device");
  return DeviceRecord{.object = {.device = *std::move(device),
                                 .uid = row[1].as<std::string>(),
                                 .node = row[2].as<std::string>(),
                                 .model = row[3].as<std::string>(),
                                 .protocol = row[4].as<std::string>()},
                      .enabled = row[5].as<bool>(),
                      .disable_reason = row[6].as<std::string>(),
                      .generation = row[7].as<int64_t>(),
                      .incarnation = row[8].as<int64_t>(),
                      .create_time = absl::FromUnixMicros(row[9].as<int64_t>()),
                      .update_time = absl::FromUnixMicros(row[10].as<int64_t>())};
}

// Until the transaction ends nobody else changes the device. Before its generation is taken, so
// that what is written later has the higher one; of a row that is not there yet there is no other
// lock.
void LockDevice(Transaction& transaction, const DeviceName& device) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                          "skerry device registry " + device.value());
}

absl::StatusOr<std::optional<DeviceRecord>> Find(Transaction& transaction,
                                                 const DeviceName& device) {
  const pqxx::result rows =
      transaction.exec_params(std::string(kSelect) + " WHERE device = $1", device.value());
  if (rows.empty()) return std::nullopt;
  SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, Row(rows[0]));
  return std::optional(std::move(record));
}

void Write(Transaction& transaction, DeviceRecord& record) {
  const pqxx::row next =
      transaction.exec1("SELECT nextval('device_generation'), device_registry_micros()");
  registry_rules::Stamp(record, next[0].as<int64_t>(), absl::FromUnixMicros(next[1].as<int64_t>()));
  transaction.exec_params(
      "INSERT INTO device_registry VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
      " ON CONFLICT (device) DO UPDATE SET uid = $2, node = $3, model = $4, protocol = $5,"
      " enabled = $6, disable_reason = $7, generation = $8, incarnation = $9, create_time = $10,"
      " update_time = $11",
      record.object.device.value(), record.object.uid, record.object.node, record.object.model,
      record.object.protocol, record.enabled, record.disable_reason, record.generation,
      record.incarnation, absl::ToUnixMicros(record.create_time),
      absl::ToUnixMicros(record.update_time));
}

}  // namespace

absl::Status PostgresRegistryStore::Migrate(Pool& pool) {
  return pool.Migrate("device registry", kMigrations);
}

absl::StatusOr<DeviceRecord> PostgresRegistryStore::Put(const RegisteredDevice& object) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckObject(object));
  std::optional<DeviceRecord> record;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "record device", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        LockDevice(transaction, object.device);
        SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> present,
                                Find(transaction, object.device));
        record = registry_rules::Recorded(present, object);
        if (record != present) Write(transaction, *record);
        return absl::OkStatus();
      }));
  return *std::move(record);
}

absl::StatusOr<std::optional<DeviceRecord>> PostgresRegistryStore::Get(const DeviceName& device) {
  std::optional<DeviceRecord> found;
  SKERRY_RETURN_IF_ERROR(pool_.Transact("read device", Pool::Mode::kSnapshot,
                                        [&](Transaction& transaction) -> absl::Status {
                                          SKERRY_ASSIGN_OR_RETURN(found, Find(transaction, device));
                                          return absl::OkStatus();
                                        }));
  return found;
}

absl::StatusOr<std::vector<DeviceRecord>> PostgresRegistryStore::List(
    const DeviceFilter& filter, const std::optional<DeviceName>& after, size_t count_max) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckList(filter, count_max));
  std::vector<DeviceRecord> records;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "list devices", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        records.clear();
        // Planned with the values: a condition that is not asked for costs nothing. '0' follows
        // '/'.
        const pqxx::result rows = transaction.exec_params(
            std::string(kSelect) +
                " WHERE device > $1"
                " AND ($2::text = '' OR (device >= $2::text || '/' AND device < $2::text || '0'))"
                " AND ($3::text = '' OR node = $3) AND ($4::text = '' OR model = $4)"
                " AND ($5::boolean IS NULL OR enabled = $5) ORDER BY device LIMIT $6",
            after.has_value() ? after->value() : "", filter.device_namespace, filter.node,
            filter.model,
            filter.enabled.has_value() ? (*filter.enabled ? "true" : "false") : nullptr,
            static_cast<int64_t>(count_max));
        for (const pqxx::row& row : rows) {
          SKERRY_ASSIGN_OR_RETURN(DeviceRecord record, Row(row));
          records.push_back(std::move(record));
        }
        return absl::OkStatus();
      }));
  return records;
}

absl::StatusOr<DeviceRecord> PostgresRegistryStore::SetEnabled(
    const DeviceName& device, bool enabled, absl::string_view reason,
    const std::optional<std::string>& expected_etag) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckReason(enabled, reason));
  std::optional<DeviceRecord> record;
  absl::Status refused;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "switch device", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        LockDevice(transaction, device);
        SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> present,
                                Find(transaction, device));
        absl::StatusOr<DeviceRecord> switched =
            registry_rules::Switched(present, device, enabled, reason, expected_etag);
        // Not the transaction's error: the pool tries again what is ABORTED.
        refused = switched.status();
        if (!switched.ok()) return absl::OkStatus();
        record = *std::move(switched);
        if (record != present) Write(transaction, *record);
        return absl::OkStatus();
      }));
  SKERRY_RETURN_IF_ERROR(refused);
  return *std::move(record);
}

absl::StatusOr<bool> PostgresRegistryStore::Delete(const DeviceName& device,
                                                   absl::string_view uid) {
  SKERRY_RETURN_IF_ERROR(registry_rules::CheckUid(uid));
  bool deleted = false;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("delete device", Pool::Mode::kWrite, [&](Transaction& transaction) {
        LockDevice(transaction, device);
        deleted = transaction
                      .exec_params(
                          "DELETE FROM device_registry WHERE device = $1"
                          " AND ($2::text = '' OR uid = $2)",
                          device.value(), std::string(uid))
                      .affected_rows() > 0;
        return absl::OkStatus();
      }));
  return deleted;
}

}  // namespace skerry::devicecontroller
