// TwinHistoryStore in PostgreSQL.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_HISTORY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_HISTORY_STORE_H_

#include <cstdint>
#include <vector>

#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/device-controller-svc/store/twin_rules.h"
#include "services/lib/postgres/pool.h"

namespace skerry::devicecontroller {

// For several controllers. Changes of a device come one after the other; times of arrival are the
// database's. `pool` outlives it.
class PostgresTwinHistoryStore final : public TwinHistoryStore {
 public:
  // Makes the tables, or brings them up to date; before the first use.
  static absl::Status Migrate(postgres::Pool& pool);

  explicit PostgresTwinHistoryStore(postgres::Pool& pool) : pool_(pool) {}

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
  // Where another controller does it just now it is done.
  absl::StatusOr<int64_t> DropHistoryBefore(absl::Time time) override;

 private:
  absl::StatusOr<AppliedValues> Apply(const TwinKey& twin, TwinSide side,
                                      const std::vector<twin_rules::Write>& writes);

  postgres::Pool& pool_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_HISTORY_STORE_H_
