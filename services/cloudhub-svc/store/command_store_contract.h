// What every CommandStore does: a suite for each implementation to instantiate.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "services/cloudhub-svc/store/command_store.h"

namespace skerry::cloudhub {

// One place where a store lives.
class CommandStoreHome {
 public:
  virtual ~CommandStoreHome() = default;
  // The same store, as another process would see it after the former is gone.
  virtual std::unique_ptr<CommandStore> Open(const CommandQueueBounds& bounds) = 0;
};

class CommandStoreContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<CommandStoreHome>()>> {
 protected:
  const std::unique_ptr<CommandStoreHome> home_ = GetParam()();
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_CONTRACT_H_
