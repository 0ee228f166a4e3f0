#include "services/cloudhub-svc/join/sqlite_node_records.h"

#include "absl/time/time.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

absl::StatusOr<std::unique_ptr<SqliteNodeRecords>> SqliteNodeRecords::Open(
    const std::string& folder, Clock& clock, const sqlite::Environment& environment) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Database> database,
                          sqlite::Database::Open({.path = folder + "/tokens.db",
                                                  .full_sync = false,
                                                  .set_aside_damaged = false,
                                                  .check_integrity = false,
                                                  .environment = environment},
                                                 kTokensDbMigrations));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<EpochStore> epochs,
                          EpochStore::Open(folder + "/epoch.db", clock, environment));
  return std::unique_ptr<SqliteNodeRecords>(
      new SqliteNodeRecords(std::move(database), std::move(epochs), clock));
}

absl::StatusOr<uint64_t> SqliteNodeRecords::Admit(const LinkingBox& box) {
  SKERRY_RETURN_IF_ERROR(Update(box.node, [&box](const std::optional<NameRecord>& known) {
    return cloudhub::Admit(known, box);
  }));
  return epochs_->Next();
}

absl::StatusOr<bool> SqliteNodeRecords::EpochStored(const LinkingBox& box, uint64_t epoch) {
  bool cloned = false;
  SKERRY_RETURN_IF_ERROR(
      Update(box.node, [&](const std::optional<NameRecord>& known) -> absl::StatusOr<NameRecord> {
        const NameRecord record = known.value_or(NameRecord{.key_hash = box.key_hash});
        cloned = HasReturned(record, box);
        return cloudhub::EpochStored(record, box, epoch);
      }));
  return cloned;
}

absl::Status SqliteNodeRecords::Update(const NodeName& node, Change change) {
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(std::optional<NameRecord> known, Find(node));
  SKERRY_ASSIGN_OR_RETURN(NameRecord record, change(known));
  if (record == known) return absl::OkStatus();
  // Read again where nobody else writes: a join may have come in between.
  return database_->Transaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(known, Find(node));
    SKERRY_ASSIGN_OR_RETURN(record, change(known));
    return Put(node, record);
  });
}

absl::StatusOr<std::optional<NameRecord>> SqliteNodeRecords::Find(const NodeName& node) {
  sqlite::Statement row = database_->Prepare(
      "SELECT key_hash, former_key_hash, boot_id, former_boot_id, epoch_min, disabled "
      "FROM joined_nodes WHERE node = ?1");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, node.value()).Step());
  if (!found) return std::nullopt;
  if (row.Int(5) != 0) return NodeDisabled(node);
  NameRecord record = {.key_hash = row.Text(0),
                       .former_key_hash = row.Text(1),
                       .boot_id = row.Text(2),
                       .former_boot_id = row.Text(3),
                       .epoch_min = static_cast<uint64_t>(row.Int(4))};
  sqlite::Statement next =
      database_->Prepare("SELECT key_hash FROM next_keys WHERE node = ?1 ORDER BY key_hash");
  next.Bind(1, node.value());
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool more, next.Step());
    if (!more) return record;
    record.next_key_hashes.push_back(next.Text(0));
  }
}

absl::Status SqliteNodeRecords::Put(const NodeName& node, const NameRecord& record) {
  sqlite::Statement put = database_->Prepare(
      "INSERT INTO joined_nodes (node, key_hash, former_key_hash, boot_id, former_boot_id, "
      "epoch_min, join_time) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "ON CONFLICT (node) DO UPDATE SET key_hash = ?2, former_key_hash = ?3, boot_id = ?4, "
      "former_boot_id = ?5, epoch_min = ?6");
  put.Bind(1, node.value()).Bind(2, record.key_hash).Bind(3, record.former_key_hash);
  put.Bind(4, record.boot_id).Bind(5, record.former_boot_id);
  put.Bind(6, static_cast<int64_t>(record.epoch_min));
  put.Bind(7, absl::ToUnixMicros(clock_.Now()));
  SKERRY_RETURN_IF_ERROR(put.Run());
  // Others only add next keys; a link uses one, and none is left then.
  if (!record.next_key_hashes.empty()) return absl::OkStatus();
  sqlite::Statement forget = database_->Prepare("DELETE FROM next_keys WHERE node = ?1");
  return forget.Bind(1, node.value()).Run();
}

}  // namespace skerry::cloudhub
