// TelemetryStore in PostgreSQL.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_STORE_H_

#include <cstdint>
#include <vector>

#include "services/device-controller-svc/store/telemetry_store.h"
#include "services/lib/postgres/pool.h"

namespace skerry::devicecontroller {

// For several controllers; times of arrival are the database's. Readings of a day (UTC, by their
// own time) are a partition, made when the first of them comes, and dropped whole when no model
// keeps any. Those kept by their arrival are in a table of their own: their times are anything, and
// would make a partition each. `pool` outlives it.
class PostgresTelemetryStore final : public TelemetryStore {
 public:
  // Makes the tables, or brings them up to date; before the first use.
  static absl::Status Migrate(postgres::Pool& pool);

  explicit PostgresTelemetryStore(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<AppendedTelemetry> Append(const TelemetryEvents& events,
                                           absl::Span<const TelemetryRow> rows) override;
  absl::StatusOr<std::vector<Reading>> Query(const DeviceName& device,
                                             const TelemetryQuery& query) override;
  absl::StatusOr<std::vector<TelemetryBucket>> Aggregate(const DeviceName& device,
                                                         absl::string_view property,
                                                         absl::Time from, absl::Time to,
                                                         absl::Duration width) override;
  absl::StatusOr<std::vector<std::string>> Models() override;
  // Where another controller does it just now it is done.
  absl::StatusOr<int64_t> DropBefore(absl::string_view model, absl::Time time) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TELEMETRY_STORE_H_
