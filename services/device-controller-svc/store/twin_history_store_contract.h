// What every TwinHistoryStore does: suites for each implementation to instantiate.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_CONTRACT_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/store/twin_history_store.h"

namespace skerry::devicecontroller {

// One place where a store lives.
class TwinHistoryStoreHome {
 public:
  virtual ~TwinHistoryStoreHome() = default;
  // The same store, as another process would see it after the former is gone.
  virtual std::unique_ptr<TwinHistoryStore> Open() = 0;
};

class TwinHistoryStoreContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<TwinHistoryStoreHome>()>> {
 protected:
  void SetUp() override {
    home_ = GetParam()();
    ASSERT_NE(home_, nullptr);
    store_ = home_->Open();
  }
  void Restart() {
    store_.reset();
    store_ = home_->Open();
  }
  // The properties that were applied, "former", or the error.
  std::string Report(const std::string& property, const std::string& value, uint64_t epoch,
                     uint64_t sequence) {
    return Report(pump_, property, value, epoch, sequence);
  }
  std::string Report(const TwinKey& twin, const std::string& property, const std::string& value,
                     uint64_t epoch, uint64_t sequence);
  std::string Desire(const std::string& property, const std::optional<std::string>& value,
                     int64_t generation);
  // "property=value " of each, "property:=value " of desired ones.
  std::string Current() { return Text(store_->Current(pump_.device)); }
  std::string StateAt(absl::Time time) { return Text(store_->StateAt(pump_.device, time)); }
  std::string History(const HistoryQuery& query) {
    return Text(store_->History(pump_.device, query));
  }
  // When the property's present value came.
  absl::Time Arrival(const std::string& property);
  static std::string Text(const absl::StatusOr<std::vector<TwinEntry>>& entries);
  // Until nothing is left to drop.
  void DropBefore(absl::Time time);

  const TwinKey pump_{*DeviceName::Parse("shop/pump"), "u1", 10};
  const TwinKey anew_{*DeviceName::Parse("shop/pump"), "u2", 20};
  std::unique_ptr<TwinHistoryStoreHome> home_;
  std::unique_ptr<TwinHistoryStore> store_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_CONTRACT_H_
