// RegistryStore in PostgreSQL.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_REGISTRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_REGISTRY_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "services/device-controller-svc/store/registry_store.h"
#include "services/lib/postgres/pool.h"

namespace skerry::devicecontroller {

// For several controllers. Changes of a device come one after the other; times are the database's.
// `pool` outlives it.
class PostgresRegistryStore final : public RegistryStore {
 public:
  // Makes the tables, or brings them up to date; before the first use.
  static absl::Status Migrate(postgres::Pool& pool);

  explicit PostgresRegistryStore(postgres::Pool& pool) : pool_(pool) {}

  absl::StatusOr<DeviceRecord> Put(const RegisteredDevice& object) override;
  absl::StatusOr<std::optional<DeviceRecord>> Get(const DeviceName& device) override;
  absl::StatusOr<std::vector<DeviceRecord>> List(const DeviceFilter& filter,
                                                 const std::optional<DeviceName>& after,
                                                 size_t count_max) override;
  absl::StatusOr<DeviceRecord> SetEnabled(const DeviceName& device, bool enabled,
                                          absl::string_view reason,
                                          const std::optional<std::string>& expected_etag) override;
  absl::StatusOr<bool> Delete(const DeviceName& device, absl::string_view uid) override;

 private:
  postgres::Pool& pool_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_REGISTRY_STORE_H_
