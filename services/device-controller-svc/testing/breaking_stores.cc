#include "services/device-controller-svc/testing/breaking_stores.h"

#include <optional>
#include <vector>

#include "services/device-controller-svc/store/sqlite_registry_store.h"
#include "services/device-controller-svc/store/sqlite_telemetry_store.h"
#include "services/device-controller-svc/store/sqlite_twin_history_store.h"
#include "services/lib/base/check.h"

namespace skerry::devicecontroller {
namespace {

template <typename T>
std::unique_ptr<T> Checked(absl::StatusOr<std::unique_ptr<T>> opened) {
  SKERRY_CHECK(opened.ok());
  return *std::move(opened);
}

absl::Status Broken() { return absl::UnavailableError("the database is away"); }

}  // namespace

class BreakingStores::Registry final : public RegistryStore {
 public:
  Registry(const std::string& folder, Clock& clock, const std::atomic<bool>& broken)
      : store_(Checked(SqliteRegistryStore::Open(folder + "/registry.db", 0, clock))),
        broken_(broken) {}

  absl::StatusOr<DeviceRecord> Put(const RegisteredDevice& object) override {
    if (broken_) return Broken();
    return store_->Put(object);
  }
  absl::StatusOr<std::optional<DeviceRecord>> Get(const DeviceName& device) override {
    if (broken_) return Broken();
    return store_->Get(device);
  }
  absl::StatusOr<std::vector<DeviceRecord>> List(const DeviceFilter& filter,
                                                 const std::optional<DeviceName>& after,
                                                 size_t count_max) override {
    if (broken_) return Broken();
    return store_->List(filter, after, count_max);
  }
  absl::StatusOr<DeviceRecord> SetEnabled(
      const DeviceName& device, bool enabled, absl::string_view reason,
      const std::optional<std::string>& expected_etag) override {
    if (broken_) return Broken();
    return store_->SetEnabled(device, enabled, reason, expected_etag);
  }
  absl::StatusOr<bool> Delete(const DeviceName& device, absl::string_view uid) override {
    if (broken_) return Broken();
    return store_->Delete(device, uid);
  }

 private:
  const std::unique_ptr<SqliteRegistryStore> store_;
  const std::atomic<bool>& broken_;
};

class BreakingStores::Twins final : public TwinHistoryStore {
 public:
  Twins(const std::string& folder, Clock& clock, const std::atomic<bool>& broken)
      : store_(Checked(SqliteTwinHistoryStore::Open(folder + "/twins.db", 0, clock))),
        broken_(broken) {}

  absl::StatusOr<AppliedValues> ApplyReported(const TwinKey& twin,
                                              absl::Span<const ReportedValue> values) override {
    if (broken_) return Broken();
    return store_->ApplyReported(twin, values);
  }
  absl::StatusOr<AppliedValues> ApplyDesired(const TwinKey& twin,
                                             absl::Span<const DesiredValue> values) override {
    if (broken_) return Broken();
    return store_->ApplyDesired(twin, values);
  }
  absl::StatusOr<bool> End(const TwinKey& twin) override {
    if (broken_) return Broken();
    return store_->End(twin);
  }
  absl::StatusOr<std::vector<TwinEntry>> Current(const DeviceName& device) override {
    if (broken_) return Broken();
    return store_->Current(device);
  }
  absl::StatusOr<std::vector<TwinEntry>> History(const DeviceName& device,
                                                 const HistoryQuery& query) override {
    if (broken_) return Broken();
    return store_->History(device, query);
  }
  absl::StatusOr<std::vector<TwinEntry>> StateAt(const DeviceName& device,
                                                 absl::Time time) override {
    if (broken_) return Broken();
    return store_->StateAt(device, time);
  }
  absl::StatusOr<int64_t> DropHistoryBefore(absl::Time time) override {
    if (broken_) return Broken();
    return store_->DropHistoryBefore(time);
  }

 private:
  const std::unique_ptr<SqliteTwinHistoryStore> store_;
  const std::atomic<bool>& broken_;
};

class BreakingStores::Telemetry final : public TelemetryStore {
 public:
  Telemetry(const std::string& folder, Clock& clock, const std::atomic<bool>& broken)
      : store_(Checked(SqliteTelemetryStore::Open(folder + "/telemetry.db", 0, clock))),
        broken_(broken) {}

  absl::StatusOr<AppendedTelemetry> Append(const TelemetryEvents& events,
                                           absl::Span<const TelemetryRow> rows) override {
    if (broken_) return Broken();
    return store_->Append(events, rows);
  }
  absl::StatusOr<std::vector<Reading>> Query(const DeviceName& device,
                                             const TelemetryQuery& query) override {
    if (broken_) return Broken();
    return store_->Query(device, query);
  }
  absl::StatusOr<std::vector<TelemetryBucket>> Aggregate(const DeviceName& device,
                                                         absl::string_view property,
                                                         absl::Time from, absl::Time to,
                                                         absl::Duration width) override {
    if (broken_) return Broken();
    return store_->Aggregate(device, property, from, to, width);
  }
  absl::StatusOr<std::vector<std::string>> Models() override {
    if (broken_) return Broken();
    return store_->Models();
  }
  absl::StatusOr<int64_t> DropBefore(absl::string_view model, absl::Time time) override {
    if (broken_) return Broken();
    return store_->DropBefore(model, time);
  }

 private:
  const std::unique_ptr<SqliteTelemetryStore> store_;
  const std::atomic<bool>& broken_;
};

BreakingStores::BreakingStores(const std::string& folder, Clock& clock)
    : registry_(std::make_unique<Registry>(folder, clock, broken_)),
      twins_(std::make_unique<Twins>(folder, clock, broken_)),
      telemetry_(std::make_unique<Telemetry>(folder, clock, broken_)) {}

BreakingStores::~BreakingStores() = default;

RegistryStore& BreakingStores::registry() { return *registry_; }
TwinHistoryStore& BreakingStores::twins() { return *twins_; }
TelemetryStore& BreakingStores::telemetry() { return *telemetry_; }

}  // namespace skerry::devicecontroller
