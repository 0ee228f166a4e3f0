// TwinHistoryStore in a SQLite file, of a single controller.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TWIN_HISTORY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TWIN_HISTORY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/device-controller-svc/store/twin_rules.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::devicecontroller {

// Of a damaged file the rows that can be read go into a new store. `clock` outlives it.
class SqliteTwinHistoryStore final : public TwinHistoryStore {
 public:
  // size_bytes_max: of the file (0: none); what would exceed it is RESOURCE_EXHAUSTED /
  // DATABASE_FULL.
  static absl::StatusOr<std::unique_ptr<SqliteTwinHistoryStore>> Open(
      const std::string& path, int64_t size_bytes_max, Clock& clock,
      const sqlite::Environment& environment = {});

  absl::StatusOr<AppliedValues> ApplyReported(const TwinKey& twin,
                                              absl::Span<const ReportedValue> values) override;
  absl::StatusOr<AppliedValues> ApplyDesired(const TwinKey& twin,
                                             absl::Span<const DesiredValue> values) override;
  absl::StatusOr<bool> End(const TwinKey& twin) override;
  absl::StatusOr<std::vector<TwinEntry>> Current(const DeviceName& device) override;
  absl::StatusOr<std::vector<TwinEntry>> History(const DeviceName& device,
                                                 const HistoryQuery& query) override;
  absl::StatusOr<std::vector<TwinEntry>> StateAt(const DeviceName& device,
                                                 absl::Time time) override;
  absl::StatusOr<int64_t> DropHistoryBefore(absl::Time time) override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return repair_; }

 private:
  SqliteTwinHistoryStore(std::unique_ptr<sqlite::Database> database, Clock& clock)
      : clock_(clock), repair_(database->repair()), database_(std::move(database)) {}

  absl::StatusOr<AppliedValues> Apply(const TwinKey& twin, TwinSide side,
                                      std::vector<twin_rules::Write> writes);
  // Parts of a transaction.
  absl::StatusOr<std::optional<twin_rules::DeviceState>> Known(const DeviceName& device)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveDevice(const TwinKey& twin, bool ended, int64_t arrival)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReplaceAll(const DeviceName& device, int64_t arrival)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::map<std::string, TwinOrder>> Orders(
      const DeviceName& device, TwinSide side, const std::vector<twin_rules::Write>& writes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Store(const TwinKey& twin, TwinSide side, const twin_rules::Write& write,
                     int64_t arrival) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<int64_t> Count(const DeviceName& device, TwinSide side)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::optional<sqlite::Repair> repair_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_TWIN_HISTORY_STORE_H_
