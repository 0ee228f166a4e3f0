// Keeps the kinds that are served as the stored CustomResourceDefinitions declare them.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_DEFINITION_FOLLOWER_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_DEFINITION_FOLLOWER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeapi/resource_registry.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/log/logger.h"

namespace skerry::kubeapi {

// Follows the definitions in the store, whoever writes them: this server or another one on the same
// database. While the store cannot be followed the kinds that are known stay. Used by one thread;
// store, registry and clock outlive it.
class DefinitionFollower {
 public:
  DefinitionFollower(ObjectStore& store, ResourceRegistry& registry, Clock& clock, log::Logger log);
  ~DefinitionFollower();
  DefinitionFollower(const DefinitionFollower&) = delete;
  DefinitionFollower& operator=(const DefinitionFollower&) = delete;

  // Once, before the first request and after the store's first write (a watch of an empty store
  // would begin at any later time). Returns when the kinds of all stored definitions are served.
  absl::Status Start();

 private:
  class Sink;

  // The state that is there, then a watch from it.
  absl::Status Follow();
  void FollowAgain();
  void Detach();
  void Serve(absl::string_view name, absl::string_view json, StoreRevision revision);

  ObjectStore& store_;
  ResourceRegistry& registry_;
  const log::Logger log_;
  std::shared_ptr<Sink> sink_;  // Executor only, but for the destructor.
  WatchId watch_ = 0;           // So too.
  exec::SerialExecutor executor_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_DEFINITION_FOLLOWER_H_
