// Connections to PostgreSQL, and transactions on them.
#ifndef SKERRY_SERVICES_LIB_POSTGRES_POOL_H_
#define SKERRY_SERVICES_LIB_POSTGRES_POOL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/lib/base/clock.h"
#include "services/lib/postgres/connection_settings.h"
#include "services/lib/postgres/knock.h"

namespace pqxx {
class connect_direct;
template <typename Policy>
class basic_connection_base;
using connection = basic_connection_base<connect_direct>;
class transaction_base;
}  // namespace pqxx

namespace skerry::metrics {
class Registry;
}  // namespace skerry::metrics

namespace skerry::postgres {

class PoolMetrics;

struct PoolOptions {
  std::string connection;  // libpq's: "host=db dbname=skerry user=skerry passfile=…", or a
                           // postgresql:// URL.
  size_t connections_max = 8;
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration statement_timeout = absl::Seconds(15);
  absl::Duration wait_timeout =
      absl::Seconds(10);                  // For a free connection; beyond: UNAVAILABLE / POOL_BUSY.
  metrics::Registry* registry = nullptr;  // Gets the pool's metrics; outlives the pool.
};

// Any thread may call it; each call has a connection to itself. Broken connections are replaced at
// their next use.
class Pool {
 public:
  enum class Mode {
    kWrite,     // READ COMMITTED.
    kSnapshot,  // REPEATABLE READ, READ ONLY: all statements see one instant.
  };

  explicit Pool(PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs `body` in a transaction and commits when it returns OK. On ABORTED (deadlock,
  // serialization) the whole is tried again, three times in all, so `body` begins anew each time.
  // Exceptions of libpqxx may leave `body`: they become statuses here (pq_errors.h).
  absl::Status Transact(absl::string_view op, Mode mode,
                        absl::FunctionRef<absl::Status(pqxx::transaction_base&)> body);

  // Migration i (from 1) is recorded in the table "schema_versions" under `component`. Several
  // processes may do this at once (advisory lock). FAILED_PRECONDITION / DATABASE_TOO_NEW when a
  // newer version was here.
  absl::Status Migrate(absl::string_view component, absl::Span<const char* const> migrations);

  // Whether the database lets us in, as Knock (knock.h) says it; with DATABASE_AWAY where it does
  // not answer in time. Counts as a connection; `failures_count`: also where it failed.
  absl::Status Try(const Stopped& stopped, bool failures_count);

  const PoolOptions& options() const { return options_; }
  absl::StatusOr<ConnectionSettings> Settings() const;
  // A connection outside of the pool's count, for LISTEN.
  absl::StatusOr<std::unique_ptr<pqxx::connection>> Connect() const;

 private:
  // Not by its base, which has no virtual destructor and would leave it open.
  using Connection = std::unique_ptr<pqxx::connection>;

  absl::StatusOr<Connection> Take();
  // UNAVAILABLE / POOL_BUSY when no connection is free in time. Null: one may be opened.
  absl::StatusOr<Connection> TakeTurn();
  void Return(Connection connection);
  void Measure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CanTake() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return in_use_ < options_.connections_max;
  }

  const PoolOptions options_;
  SystemClock clock_;
  const std::unique_ptr<PoolMetrics> metrics_;  // Null without a registry.
  absl::Mutex mutex_;
  std::vector<Connection> idle_ ABSL_GUARDED_BY(mutex_);
  size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_POOL_H_
