// The object store in PostgreSQL, for sites that have a database server: several API servers may
// share it.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_OBJECT_STORE_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_OBJECT_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/store/write_op.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/postgres/pool.h"
#include "services/lib/process/readiness.h"

namespace skerry::kubeapi {

struct PostgresObjectStoreOptions {
  postgres::PoolOptions pool;
  // Of a service that starts: it waits for PostgreSQL, and says so there. Null: no waiting.
  process::Readiness* readiness = nullptr;
  LogLimits log;
  // Changes of other servers are announced (NOTIFY); should that fail, they are found this often.
  absl::Duration poll_interval = absl::Seconds(1);
};

// Writes of all servers take turns at one row, which gives revisions in the order of commits, none
// left out. UNAVAILABLE: no database now; try again.
absl::StatusOr<std::unique_ptr<ObjectStore>> OpenPostgresObjectStore(
    const PostgresObjectStoreOptions& options, log::Logger log, metrics::Registry& registry);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_POSTGRES_OBJECT_STORE_H_
