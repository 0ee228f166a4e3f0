// All kinds that are served right now.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/kubeapi/resource.h"
#include "services/lib/kubeapi/schema_text.h"

namespace skerry::kubeapi {

// Any thread may call it. Built-in kinds stay; custom ones come and go with their definitions.
class ResourceRegistry {
 public:
  ResourceRegistry(std::vector<ResourcePtr> built_in, TypeTable types);

  // Null where there is none.
  ResourcePtr Find(absl::string_view group, absl::string_view version,
                   absl::string_view plural) const;
  // Any version of it.
  ResourcePtr FindStorage(absl::string_view storage_name) const;
  // By group, version, plural.
  std::vector<ResourcePtr> All() const;

  // The kinds of the definition `name` ("devices.devices.kubeedge.io"); preferred version first.
  // Replaces earlier ones.
  void SetCustom(absl::string_view name, std::vector<ResourcePtr> resources);
  void RemoveCustom(absl::string_view name);

  // Grows with every change of the custom kinds.
  uint64_t generation() const;
  // Definitions of the built-in types.
  const TypeTable& types() const { return types_; }

 private:
  const std::vector<ResourcePtr> built_in_;
  const TypeTable types_;
  mutable absl::Mutex mutex_;
  std::map<std::string, std::vector<ResourcePtr>> custom_ ABSL_GUARDED_BY(mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_
