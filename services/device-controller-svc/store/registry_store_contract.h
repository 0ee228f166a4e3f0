// What every RegistryStore does: a suite for each implementation to instantiate.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_CONTRACT_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "services/device-controller-svc/store/registry_store.h"

namespace skerry::devicecontroller {

// One place where a store lives.
class RegistryStoreHome {
 public:
  virtual ~RegistryStoreHome() = default;
  // The same store, as another process would see it after the former is gone.
  virtual std::unique_ptr<RegistryStore> Open() = 0;
};

class RegistryStoreContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<RegistryStoreHome>()>> {
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

  std::unique_ptr<RegistryStoreHome> home_;
  std::unique_ptr<RegistryStore> store_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_REGISTRY_STORE_CONTRACT_H_
