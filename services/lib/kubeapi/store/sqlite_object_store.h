// The object store in one SQLite file: the default of a site without a database server.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_OBJECT_STORE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_OBJECT_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/store/write_op.h"
#include "services/lib/metrics/registry.h"

namespace skerry::kubeapi {

struct SqliteObjectStoreOptions {
  std::string path;
  int64_t size_bytes_max = int64_t{4}
                           << 30;  // Beyond: writes fail with RESOURCE_EXHAUSTED / DATABASE_FULL.
  LogLimits log;
  size_t readers = 3;             // Connections for reads, which never wait for writes.
  int64_t cache_bytes = 8 << 20;  // Page cache of each connection.
  bool full_sync =
      true;  // False: the newest writes may be lost with the power (not with the process).
};

// DATA_LOSS when the file is damaged: it is the only copy of the site's objects, so it is left in
// place for the operator to restore or move away, and never replaced by an empty one (controllers
// would take that for deletions).
//
// One process at a time: a second one sees this one's writes but its watches do not.
absl::StatusOr<std::unique_ptr<ObjectStore>> OpenSqliteObjectStore(
    const SqliteObjectStoreOptions& options, metrics::Registry& registry);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_SQLITE_OBJECT_STORE_H_
