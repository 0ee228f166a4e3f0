// The stores of this service, as the settings say.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SET_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SET_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/pool.h"
#include "services/lib/process/readiness.h"

namespace skerry::devicecontroller {

// SQLite: three files of `state_dir`. PostgreSQL: one database, which replicas share. Any thread
// may use the stores.
class StoreSet {
 public:
  struct Options {
    std::string state_dir;
    std::string postgres_url_file;          // Empty: SQLite.
    int64_t size_bytes_max = 0;             // Of each SQLite file; 0: none.
    size_t connections_max = 8;             // Of PostgreSQL.
    metrics::Registry* registry = nullptr;  // Gets the metrics of connections and files.
    // Of a service that starts: it waits for PostgreSQL, and says so there. Null: no waiting.
    process::Readiness* readiness = nullptr;
    // Of a SQLite file ("registry", "telemetry", "twins"), as sqlite::Environment has it.
    std::function<void(absl::string_view store, int64_t bytes)> on_size;
  };
  // Makes what is missing. `clock` outlives it.
  static absl::StatusOr<std::unique_ptr<StoreSet>> Open(const Options& options, Clock& clock,
                                                        log::Logger log);

  RegistryStore& registry() { return *registry_; }
  TwinHistoryStore& twins() { return *twins_; }
  TelemetryStore& telemetry() { return *telemetry_; }
  // "twins", "telemetry": those whose files were damaged and made anew. That of the registry never
  // is.
  const std::vector<std::string>& repaired() const { return repaired_; }

 private:
  StoreSet() = default;
  absl::Status OpenSqlite(const Options& options, Clock& clock, log::Logger& log);
  absl::Status OpenPostgres(const Options& options, const log::Logger& log);

  std::unique_ptr<postgres::Pool> database_;  // Null with SQLite.
  std::unique_ptr<RegistryStore> registry_;
  std::unique_ptr<TwinHistoryStore> twins_;
  std::unique_ptr<TelemetryStore> telemetry_;
  std::vector<std::string> repaired_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SET_H_
