// The tables of PostgresObjectStore and the statements on them. Exceptions of libpqxx leave these
// functions, for the transaction they run in (postgres::Pool::Transact).
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_TABLES_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_TABLES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/kubeapi/store/write_op.h"

namespace pqxx {
class transaction_base;
}

namespace skerry::kubeapi::postgres_tables {

// Channel of NOTIFY: there are changes.
inline constexpr char kChannel[] = "skerry_objects";

absl::Span<const char* const> Migrations();

struct Revisions {
  StoreRevision current = 0;
  StoreRevision compacted = 0;
  int64_t log_bytes = 0;
};
Revisions ReadRevisions(pqxx::transaction_base& transaction);
// Waits until no other writer is at work, on any server, and keeps them out to the end of the
// transaction.
Revisions LockRevisions(pqxx::transaction_base& transaction);

// Those of `keys` that are there.
std::map<ObjectKey, StoredObject> Find(pqxx::transaction_base& transaction,
                                       const std::vector<ObjectKey>& keys);
// The change to the objects and its entry in the log.
void Apply(pqxx::transaction_base& transaction, const Change& change);
// Ends a group of changes and tells the other servers at the commit.
void Advance(pqxx::transaction_base& transaction, StoreRevision current, int64_t added_log_bytes);
// What a change takes in the log.
int64_t LogBytes(const Change& change);

ListPage List(pqxx::transaction_base& transaction, const ListQuery& query, StoreRevision current);
ChangeLog::Page ReadChanges(pqxx::transaction_base& transaction, const std::string& resource,
                            const std::string& object_namespace, StoreRevision after, size_t limit,
                            StoreRevision current);
// Of all resources.
std::vector<Change> ReadTail(pqxx::transaction_base& transaction, StoreRevision after,
                             size_t limit);

// Deletes at most `steps_max` of the oldest changes that are beyond `limits`; nothing while another
// server does.
void Compact(pqxx::transaction_base& transaction, const LogLimits& limits, int64_t steps_max);

}  // namespace skerry::kubeapi::postgres_tables

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_TABLES_H_
