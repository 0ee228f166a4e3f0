// RegistryStore in a SQLite file, of a single controller.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_REGISTRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_REGISTRY_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/registry_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"

namespace skerry::devicecontroller {

// A damaged file is left where it is, DATA_LOSS: it alone says which devices are disabled, and a
// new one would enable them all. `clock` outlives it.
class SqliteRegistryStore final : public RegistryStore {
 public:
  // size_bytes_max: of the file (0: none); what would exceed it is RESOURCE_EXHAUSTED /
  // DATABASE_FULL.
  static absl::StatusOr<std::unique_ptr<SqliteRegistryStore>> Open(
      const std::string& path, int64_t size_bytes_max, Clock& clock,
      const sqlite::Environment& environment = {});

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
  SqliteRegistryStore(std::unique_ptr<sqlite::Database> database, Clock& clock)
      : clock_(clock), database_(std::move(database)) {}

  absl::StatusOr<std::optional<DeviceRecord>> Find(const DeviceName& device)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Parts of a transaction.
  absl::Status Write(DeviceRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<int64_t> NextGeneration() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  absl::Mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_SQLITE_REGISTRY_STORE_H_
