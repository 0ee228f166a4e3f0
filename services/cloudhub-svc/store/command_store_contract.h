// What every CommandStore does: a suite for each implementation to instantiate.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::cloudhub {

// One place where a store lives.
class CommandStoreHome {
 public:
  virtual ~CommandStoreHome() = default;
  // The same store, as another process would see it after the former is gone.
  virtual std::unique_ptr<CommandStore> Open(const CommandQueueBounds& bounds) = 0;
  // A new session of the node begins; its epoch.
  virtual uint64_t Session(const std::string& node) = 0;
  // By the store's clock.
  virtual void Pass(absl::Duration time) = 0;
  // By which the store tells times, and tests count theirs.
  skerry::testing::FakeClock& clock() { return clock_; }

 private:
  skerry::testing::FakeClock clock_;
};

class CommandStoreContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<CommandStoreHome>()>> {
 protected:
  void SetUp() override {
    home_ = GetParam()();
    ASSERT_NE(home_, nullptr);
    epoch_ = home_->Session("edge-1");
  }

  std::unique_ptr<CommandStoreHome> home_;
  uint64_t epoch_ = 0;  // Of edge-1.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_
