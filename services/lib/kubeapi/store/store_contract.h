// What every object store must do, as tests: instantiate StoreContractTest with a harness for each
// store.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_CONTRACT_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/store/write_op.h"

namespace skerry::kubeapi {

// One place for data; empty at first.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  // Opened again, it has what was written before.
  virtual absl::StatusOr<std::unique_ptr<ObjectStore>> Open(const LogLimits& limits) = 0;
};

using HarnessFactory = std::function<std::unique_ptr<StoreHarness>()>;

class StoreContractTest : public testing::TestWithParam<HarnessFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;
  void Reopen(const LogLimits& limits = {});

  std::unique_ptr<StoreHarness> harness_;
  std::unique_ptr<ObjectStore> store_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_STORE_CONTRACT_H_
