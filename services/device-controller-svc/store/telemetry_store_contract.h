// What every TelemetryStore does: a suite for each implementation to instantiate.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_CONTRACT_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/store/telemetry_store.h"

namespace skerry::devicecontroller {

// One place where a store lives.
class TelemetryStoreHome {
 public:
  virtual ~TelemetryStoreHome() = default;
  // The same store, as another process would see it after the former is gone.
  virtual std::unique_ptr<TelemetryStore> Open() = 0;
  // By the store's clock.
  virtual absl::Time Now() = 0;
};

class TelemetryStoreContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<TelemetryStoreHome>()>> {
 protected:
  void SetUp() override {
    home_ = GetParam()();
    ASSERT_NE(home_, nullptr);
    store_ = home_->Open();
    // Noon of yesterday: tests count seconds from there, within a day.
    const absl::Duration day = absl::Hours(24);
    noon_ =
        absl::UnixEpoch() + absl::Floor(home_->Now() - absl::UnixEpoch(), day) - absl::Hours(12);
  }
  void Restart() {
    store_.reset();
    store_ = home_->Open();
  }
  absl::Time At(int64_t seconds) const { return noon_ + absl::Seconds(seconds); }
  TelemetryRow Row(uint64_t sequence, absl::Time time, const std::string& value,
                   const std::string& model = "sensor") const;
  // One event for each, of a stream that goes on. "ok", or the error.
  std::string Append(std::vector<TelemetryRow> rows);
  // "appended/skipped/last", or the error.
  std::string Append(const TelemetryEvents& events, const std::vector<TelemetryRow>& rows);
  // The values of all readings.
  std::string All(const std::string& property = "speed");
  static std::string Text(const absl::StatusOr<std::vector<Reading>>& readings);
  int64_t DropBefore(const std::string& model, absl::Time time);

  const DeviceName pump_ = *DeviceName::Parse("shop/pump");
  std::unique_ptr<TelemetryStoreHome> home_;
  std::unique_ptr<TelemetryStore> store_;
  absl::Time noon_;
  uint64_t last_ = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_CONTRACT_H_
