#include "services/cloudhub-svc/join/postgres_node_records.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "services/cloudhub-svc/join/node_registry.h"
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using postgres::Pool;
using Transaction = pqxx::transaction_base;

// NODE_DISABLED besides.
absl::StatusOr<std::optional<NameRecord>> Find(Transaction& transaction, const NodeName& node) {
  const pqxx::result rows = transaction.exec_params(
      "SELECT key_hash, former_key_hash, boot_id, former_boot_id, epoch_min, disabled "
      "FROM hub_nodes WHERE node = $1",
      node.value());
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  if (row[5].as<bool>()) return NodeDisabled(node);
  return NameRecord{.key_hash = row[0].as<std::string>(),
                    .former_key_hash = row[1].as<std::string>(),
                    .next_key_hashes = postgres_tables::NextKeys(transaction, node),
                    .boot_id = row[2].as<std::string>(),
                    .former_boot_id = row[3].as<std::string>(),
                    .epoch_min = static_cast<uint64_t>(row[4].as<int64_t>())};
}

void Put(Transaction& transaction, const NodeName& node, const NameRecord& record, int64_t now) {
  transaction.exec_params(
      "INSERT INTO hub_nodes (node, key_hash, former_key_hash, boot_id, former_boot_id, epoch_min, "
      "join_time) VALUES ($1, $2, $3, $4, $5, $6, $7) "
      "ON CONFLICT (node) DO UPDATE SET key_hash = $2, former_key_hash = $3, boot_id = $4, "
      "former_boot_id = $5, epoch_min = $6",
      node.value(), record.key_hash, record.former_key_hash, record.boot_id, record.former_boot_id,
      static_cast<int64_t>(record.epoch_min), now);
  // Others only add next keys; a link uses one, and none is left then.
  if (record.next_key_hashes.empty()) postgres_tables::ForgetNextKeys(transaction, node);
}

}  // namespace

absl::StatusOr<uint64_t> PostgresNodeRecords::Admit(const LinkingBox& box) {
  const int64_t now = std::max<int64_t>(1, absl::ToUnixMicros(clock_.Now()));
  uint64_t epoch = 0;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "admit node", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        postgres_tables::LockName(transaction, box.node);
        SKERRY_ASSIGN_OR_RETURN(const std::optional<NameRecord> known, Find(transaction, box.node));
        SKERRY_ASSIGN_OR_RETURN(const NameRecord record, cloudhub::Admit(known, box));
        if (record != known) Put(transaction, box.node, record, now);
        const pqxx::row given = transaction.exec_params1(
            "UPDATE hub_nodes SET session_epoch = GREATEST(session_epoch + 1, $2) WHERE node = $1 "
            "RETURNING session_epoch",
            box.node.value(), now);
        epoch = static_cast<uint64_t>(given[0].as<int64_t>());
        return absl::OkStatus();
      }));
  return epoch;
}

absl::StatusOr<bool> PostgresNodeRecords::EpochStored(const LinkingBox& box, uint64_t epoch) {
  bool cloned = false;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "remember a stored epoch", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        postgres_tables::LockName(transaction, box.node);
        SKERRY_ASSIGN_OR_RETURN(const std::optional<NameRecord> known, Find(transaction, box.node));
        const NameRecord record = known.value_or(NameRecord{.key_hash = box.key_hash});
        cloned = HasReturned(record, box);
        const NameRecord next = cloudhub::EpochStored(record, box, epoch);
        if (next != known) Put(transaction, box.node, next, absl::ToUnixMicros(clock_.Now()));
        return absl::OkStatus();
      }));
  return cloned;
}

}  // namespace skerry::cloudhub
