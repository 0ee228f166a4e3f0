// TelemetryStore in a SQLite file, of a single controller.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TELEMETRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TELEMETRY_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::devicecontroller {

// Of a damaged file the rows that can be read go into a new store. `clock` outlives it.
class SqliteTelemetryStore final : public TelemetryStore {
 public:
  // size_bytes_max: of the file (0: none); what would exceed it is RESOURCE_EXHAUSTED /
  // DATABASE_FULL.
  static absl::StatusOr<std::unique_ptr<SqliteTelemetryStore>> Open(
      const std::string& path, int64_t size_bytes_max, Clock& clock,
      const sqlite::Environment& environment = {});

  absl::StatusOr<AppendedTelemetry> Append(const TelemetryEvents& events,
                                           absl::Span<const TelemetryRow> rows) override;
  absl::StatusOr<std::vector<Reading>> Query(const DeviceName& device,
                                             const TelemetryQuery& query) override;
  // Reads each reading of the range, under the store's lock.
  absl::StatusOr<std::vector<TelemetryBucket>> Aggregate(const DeviceName& device,
                                                         absl::string_view property,
                                                         absl::Time from, absl::Time to,
                                                         absl::Duration width) override;
  absl::StatusOr<std::vector<std::string>> Models() override;
  absl::StatusOr<int64_t> DropBefore(absl::string_view model, absl::Time time) override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return repair_; }

 private:
  SqliteTelemetryStore(std::unique_ptr<sqlite::Database> database, Clock& clock)
      : clock_(clock), repair_(database->repair()), database_(std::move(database)) {}

  // Parts of a transaction.
  absl::StatusOr<uint64_t> LastOf(const TelemetryEvents& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MoveOn(const TelemetryEvents& events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<int64_t> SeriesOf(const TelemetryRow& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a series and range of time what is to be kept only to times before `before`: about kDropMax.
  absl::Status Drop(int64_t series, int64_t from, int64_t to, int64_t before, int64_t& dropped)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Insert(const TelemetryRow& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::optional<sqlite::Repair> repair_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TELEMETRY_STORE_H_
