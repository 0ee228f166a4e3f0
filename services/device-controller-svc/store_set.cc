#include "services/device-controller-svc/store_set.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "services/device-controller-svc/store/postgres_registry_store.h"
#include "services/device-controller-svc/store/postgres_telemetry_store.h"
#include "services/device-controller-svc/store/postgres_twin_history_store.h"
#include "services/device-controller-svc/store/sqlite_registry_store.h"
#include "services/device-controller-svc/store/sqlite_telemetry_store.h"
#include "services/device-controller-svc/store/sqlite_twin_history_store.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/postgres/await_database.h"
#include "services/lib/security/files.h"
#include "services/lib/sqlite/failure_metrics.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::devicecontroller {
namespace {

template <typename Store>
void TellOfRepair(const Store& store, const std::string& what, log::Logger& log,
                  std::vector<std::string>& repaired) {
  if (!store.repair().has_value()) return;
  repaired.push_back(what);
  log.Error("a store was damaged: what could be read goes on in a new one",
            {{"store", what},
             {"path", store.repair()->set_aside},
             {"rows", store.repair()->rows},
             {"whole", store.repair()->incomplete.empty()}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSet>> StoreSet::Open(const Options& options, Clock& clock,
                                                         log::Logger log) {
  std::unique_ptr<StoreSet> set(new StoreSet());
  SKERRY_RETURN_IF_ERROR(options.postgres_url_file.empty() ? set->OpenSqlite(options, clock, log)
                                                           : set->OpenPostgres(options, log));
  return set;
}

absl::Status StoreSet::OpenSqlite(const Options& options, Clock& clock, log::Logger& log) {
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(options.state_dir, 0700));
  const auto environment = [&options](const char* store) {
    sqlite::Environment files;
    if (options.registry != nullptr) files.on_failure = sqlite::CountFailures(*options.registry);
    if (options.on_size != nullptr)
      files.on_size = [store, told = options.on_size](int64_t bytes) { told(store, bytes); };
    return files;
  };
  SKERRY_ASSIGN_OR_RETURN(
      registry_, SqliteRegistryStore::Open(options.state_dir + "/registry.db",
                                           options.size_bytes_max, clock, environment("registry")));
  SKERRY_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteTwinHistoryStore> twins,
      SqliteTwinHistoryStore::Open(options.state_dir + "/twins.db", options.size_bytes_max, clock,
                                   environment("twins")));
  TellOfRepair(*twins, "twins", log, repaired_);
  twins_ = std::move(twins);
  SKERRY_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteTelemetryStore> telemetry,
      SqliteTelemetryStore::Open(options.state_dir + "/telemetry.db", options.size_bytes_max, clock,
                                 environment("telemetry")));
  TellOfRepair(*telemetry, "telemetry", log, repaired_);
  telemetry_ = std::move(telemetry);
  return absl::OkStatus();
}

absl::Status StoreSet::OpenPostgres(const Options& options, const log::Logger& log) {
  postgres::PoolOptions pool;
  SKERRY_ASSIGN_OR_RETURN(const std::string url,
                          security::ReadSmallFile(options.postgres_url_file));
  pool.connection = std::string(absl::StripAsciiWhitespace(url));
  pool.connections_max = options.connections_max;
  pool.registry = options.registry;
  database_ = std::make_unique<postgres::Pool>(pool);
  if (options.readiness != nullptr)
    SKERRY_RETURN_IF_ERROR(postgres::AwaitDatabase(*database_, *options.readiness, log));
  SKERRY_RETURN_IF_ERROR(PostgresRegistryStore::Migrate(*database_));
  SKERRY_RETURN_IF_ERROR(PostgresTwinHistoryStore::Migrate(*database_));
  SKERRY_RETURN_IF_ERROR(PostgresTelemetryStore::Migrate(*database_));
  registry_ = std::make_unique<PostgresRegistryStore>(*database_);
  twins_ = std::make_unique<PostgresTwinHistoryStore>(*database_);
  telemetry_ = std::make_unique<PostgresTelemetryStore>(*database_);
  return absl::OkStatus();
}

}  // namespace skerry::devicecontroller
