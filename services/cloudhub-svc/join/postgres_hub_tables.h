// The hub's tables in a PostgreSQL database, which its replicas share.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_HUB_TABLES_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_HUB_TABLES_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

// Makes the tables, or brings them up to date.
absl::Status MigrateHubTables(postgres::Pool& pool);

// Makes the replica's CA that of the database, or finds that it is: all replicas sign with one.
// open_ca loads the CA, or makes one where is_new says that there is none; it returns its hash. One
// replica at a time does this, so that of two first starts one makes the CA. FAILED_PRECONDITION /
// CA_MISSING where the others have a CA and this one has none; nothing is made then; CA_MISMATCH
// where it has another.
absl::Status ClaimCa(postgres::Pool& pool, absl::FunctionRef<bool()> is_new,
                     absl::FunctionRef<absl::StatusOr<std::string>()> open_ca);

namespace postgres_tables {

// Where changes of hub_nodes are announced: "<node> <session_epoch> <disabled: 0 or 1>".
inline constexpr char kNodesChannel[] = "skerry_hub_nodes";

// Until the transaction ends nobody else changes what is on record of this name. Taken before any
// row is locked, so that no two wait for each other.
void LockName(pqxx::transaction_base& transaction, const NodeName& node);

// In the order of their hashes.
std::vector<std::string> NextKeys(pqxx::transaction_base& transaction, const NodeName& node);
void ForgetNextKeys(pqxx::transaction_base& transaction, const NodeName& node);

}  // namespace postgres_tables
}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_HUB_TABLES_H_
