#include "services/cloudhub-svc/join/sqlite_node_records.h"

#include "absl/time/time.h"
#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

absl::StatusOr<std::unique_ptr<SqliteNodeRecords>> SqliteNodeRecords::Open(const std::string& path,
                                                                           Clock& clock) {
  SKERRY_ASSIGN_OR_RETURN(
      std::unique_ptr<sqlite::Database> database,
      sqlite::Database::Open(
          {.path = path, .full_sync = false, .set_aside_damaged = false, .check_integrity = false},
          kTokensDbMigrations));
  return std::unique_ptr<SqliteNodeRecords>(new SqliteNodeRecords(std::move(database), clock));
}

absl::Status SqliteNodeRecords::Admit(const LinkingBox& box) {
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(std::optional<NameRecord> known, Find(box.node));
  SKERRY_ASSIGN_OR_RETURN(NameRecord record, cloudhub::Admit(known, box));
  if (record == known) return absl::OkStatus();
  // Read again where nobody else writes: a join may have come in between.
  return database_->Transaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(known, Find(box.node));
    SKERRY_ASSIGN_OR_RETURN(record, cloudhub::Admit(known, box));
    return Put(box.node, record);
  });
}

absl::StatusOr<std::optional<NameRecord>> SqliteNodeRecords::Find(const NodeName& node) {
  sqlite::Statement row =
      database_->Prepare("SELECT key_hash, former_key_hash FROM joined_nodes WHERE node = ?1");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, node.value()).Step());
  if (!found) return std::nullopt;
  return NameRecord{.key_hash = row.Text(0), .former_key_hash = row.Text(1)};
}

absl::Status SqliteNodeRecords::Put(const NodeName& node, const NameRecord& record) {
  sqlite::Statement put = database_->Prepare(
      "INSERT INTO joined_nodes (node, key_hash, join_time, former_key_hash) "
      "VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (node) DO UPDATE SET key_hash = ?2, former_key_hash = ?4");
  put.Bind(1, node.value()).Bind(2, record.key_hash);
  put.Bind(3, absl::ToUnixMicros(clock_.Now())).Bind(4, record.former_key_hash);
  return put.Run();
}

}  // namespace skerry::cloudhub
