#include "services/lib/postgres/pool.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/postgres/pool_metrics.h"
#include "services/lib/postgres/pq_errors.h"

namespace skerry::postgres {
namespace {

constexpr int kAttempts = 3;
// The advisory lock of migrations: any number that nothing else in the database uses.
constexpr char kLockMigrations[] =
    "SELECT pg_advisory_xact_lock(hashtext('skerry schema migrations'))";

using SnapshotTransaction = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

template <typename Transaction>
absl::Status RunOnce(pqxx::connection_base& connection,
                     absl::FunctionRef<absl::Status(pqxx::transaction_base&)> body) {
  Transaction transaction(connection);
  SKERRY_RETURN_IF_ERROR(body(transaction));  // Not committed: rolled back by the destructor.
  transaction.commit();
  return absl::OkStatus();
}

absl::Status ApplyMigrations(pqxx::transaction_base& transaction, const std::string& component,
                             absl::Span<const char* const> migrations) {
  transaction.exec(kLockMigrations);
  transaction.exec(
      "CREATE TABLE IF NOT EXISTS schema_versions (component text PRIMARY KEY, version integer NOT "
      "NULL)");
  const pqxx::result rows = transaction.exec_params(
      "SELECT version FROM schema_versions WHERE component = $1", component);
  const int version = rows.empty() ? 0 : rows[0][0].as<int>();
  const int newest = static_cast<int>(migrations.size());
  if (version > newest) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("the database was used by a newer version (schema ", version, " of ",
                              component, ", this one knows up to ", newest, ")"))
        .Reason("DATABASE_TOO_NEW")
        .Meta("schema", absl::StrCat(version))
        .Meta("newest_known", absl::StrCat(newest));
  }
  if (version == newest) return absl::OkStatus();
  for (int i = version; i < newest; ++i) transaction.exec(migrations[static_cast<size_t>(i)]);
  transaction.exec_params(
      "INSERT INTO schema_versions VALUES ($1, $2) ON CONFLICT (component) DO UPDATE SET version = "
      "$2",
      component, newest);
  return absl::OkStatus();
}

}  // namespace

Pool::Pool(PoolOptions options)
    : options_(std::move(options)),
      metrics_(options_.registry == nullptr ? nullptr
                                            : std::make_unique<PoolMetrics>(*options_.registry)) {
  if (metrics_ != nullptr)
    metrics_->connections_max.Set(static_cast<double>(options_.connections_max));
}

Pool::~Pool() = default;

absl::StatusOr<ConnectionSettings> Pool::Settings() const {
  return ReadConnection(options_.connection, options_.connect_timeout, options_.statement_timeout);
}

absl::StatusOr<Pool::Connection> Pool::Connect() const {
  SKERRY_ASSIGN_OR_RETURN(const ConnectionSettings settings, Settings());
  return CatchPq("connect", [&]() -> absl::StatusOr<Connection> {
    return Connection(std::make_unique<pqxx::connection>(settings.text));
  });
}

absl::Status Pool::Try(const Stopped& stopped, bool failures_count) {
  SKERRY_ASSIGN_OR_RETURN(const ConnectionSettings settings, Settings());
  absl::Status status = Knock(settings, options_.connect_timeout, stopped);
  // Of several addresses one may take connections and say nothing: here libpq itself goes on.
  if (absl::IsDeadlineExceeded(status)) status = Connect().status();
  if (metrics_ != nullptr && (status.ok() || (failures_count && !absl::IsCancelled(status))))
    (status.ok() ? metrics_->connects : metrics_->connects_failed).Increment();
  return status;
}

absl::StatusOr<Pool::Connection> Pool::TakeTurn() {
  const absl::Duration asked = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  const bool free =
      mutex_.AwaitWithTimeout(absl::Condition(this, &Pool::CanTake), options_.wait_timeout);
  if (metrics_ != nullptr)
    metrics_->wait_seconds.Observe(absl::ToDoubleSeconds(clock_.Monotonic() - asked));
  if (!free) {
    if (metrics_ != nullptr) metrics_->busy.Increment();
    return Error(absl::StatusCode::kUnavailable, "all connections to PostgreSQL are in use")
        .Reason("POOL_BUSY");
  }
  ++in_use_;
  Connection connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  }
  Measure();
  return connection;
}

absl::StatusOr<Pool::Connection> Pool::Take() {
  SKERRY_ASSIGN_OR_RETURN(Connection idle, TakeTurn());
  if (idle != nullptr) return idle;
  absl::StatusOr<Connection> connection = Connect();
  if (metrics_ != nullptr)
    (connection.ok() ? metrics_->connects : metrics_->connects_failed).Increment();
  if (!connection.ok()) Return(nullptr);
  return connection;
}

void Pool::Return(Connection connection) {
  absl::MutexLock lock(&mutex_);
  --in_use_;
  if (connection != nullptr) idle_.push_back(std::move(connection));
  Measure();
}

void Pool::Measure() {
  if (metrics_ == nullptr) return;
  metrics_->in_use.Set(static_cast<double>(in_use_));
  metrics_->idle.Set(static_cast<double>(idle_.size()));
}

absl::Status Pool::Transact(absl::string_view op, Mode mode,
                            absl::FunctionRef<absl::Status(pqxx::transaction_base&)> body) {
  absl::Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SKERRY_ASSIGN_OR_RETURN(Connection connection, Take());
    const absl::Duration began = clock_.Monotonic();
    status = CatchPq(op, [&] {
      return mode == Mode::kWrite ? RunOnce<pqxx::work>(*connection, body)
                                  : RunOnce<SnapshotTransaction>(*connection, body);
    });
    if (metrics_ != nullptr) metrics_->Transaction(status, clock_.Monotonic() - began);
    const bool usable =
        connection->is_open() && !absl::IsUnavailable(status) && !absl::IsUnknown(status);
    if (!usable) connection.reset();
    Return(std::move(connection));
    if (!absl::IsAborted(status)) return status;
  }
  return status;
}

absl::Status Pool::Migrate(absl::string_view component, absl::Span<const char* const> migrations) {
  return Transact("migrate", Mode::kWrite, [&](pqxx::transaction_base& transaction) {
    return ApplyMigrations(transaction, std::string(component), migrations);
  });
}

}  // namespace skerry::postgres
