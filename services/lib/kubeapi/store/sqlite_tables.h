// The tables of SqliteObjectStore and the statements on them.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_TABLES_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/kubeapi/store/write_op.h"
#include "services/lib/sqlite/database.h"

namespace skerry::kubeapi {

// All functions: on the thread that uses `database`, inside a transaction of the caller where
// several must agree.
namespace sqlite_tables {

absl::Span<const char* const> Migrations();

struct Revisions {
  StoreRevision current = 0;
  StoreRevision compacted = 0;
};
absl::StatusOr<Revisions> ReadRevisions(sqlite::Database& database);
absl::Status SetCurrent(sqlite::Database& database, StoreRevision revision);

absl::StatusOr<std::optional<StoredObject>> Find(sqlite::Database& database, const ObjectKey& key);
// The change to the objects and its entry in the log.
absl::Status Apply(sqlite::Database& database, const Change& change, absl::Time now);

// As of query.revision, which the caller has checked, or now where it is `current` or 0.
absl::StatusOr<ListPage> List(sqlite::Database& database, const ListQuery& query,
                              StoreRevision current);
absl::StatusOr<ChangeLog::Page> ReadChanges(sqlite::Database& database, const std::string& resource,
                                            const std::string& object_namespace,
                                            StoreRevision after, size_t limit,
                                            StoreRevision current);

struct LogSize {
  int64_t changes = 0;
  int64_t bytes = 0;
};
absl::StatusOr<LogSize> MeasureLog(sqlite::Database& database);
// Deletes at most `steps_max` of the oldest changes that are beyond `limits`; tells how many went,
// with their bytes.
absl::StatusOr<LogSize> Compact(sqlite::Database& database, const LogLimits& limits,
                                const LogSize& size, absl::Time now, int64_t steps_max);

}  // namespace sqlite_tables
}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_TABLES_H_
