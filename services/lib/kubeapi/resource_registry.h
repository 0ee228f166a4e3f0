// All kinds that are served right now.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/kubeapi/resource.h"
#include "services/lib/kubeapi/schema_text.h"
#include "services/lib/kubeapi/store/object_store.h"

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

  // News of the definition `name` ("devices.devices.kubeedge.io"): its kinds, preferred version
  // first. They come from who writes it here and, in order, from the store; each carries the
  // revision that it is of, and what is older than what is known is ignored.
  void SetCustom(absl::string_view name, StoreRevision revision,
                 std::vector<ResourcePtr> resources);
  // From the store only: it was deleted.
  void RemoveCustom(absl::string_view name, StoreRevision revision);
  // From the store only: there were no others than `names`.
  void KeepCustom(const std::set<std::string>& names, StoreRevision revision);

  // While it lives the kinds of a definition are not served: around its deletion, which nobody may
  // see while the kinds are still there.
  class Withdrawal {
   public:
    Withdrawal(ResourceRegistry* registry, absl::string_view name);
    ~Withdrawal();
    Withdrawal(const Withdrawal&) = delete;
    Withdrawal& operator=(const Withdrawal&) = delete;
    // The definition was deleted: older news of it, still under way, do not bring the kinds back.
    void Confirm(StoreRevision revision) { revision_ = revision; }

   private:
    ResourceRegistry* const registry_;
    const std::string name_;
    StoreRevision revision_ = 0;
  };

  // Grows with every change of the custom kinds.
  uint64_t generation() const;
  // Definitions of the built-in types.
  const TypeTable& types() const { return types_; }

 private:
  struct Definition {
    StoreRevision revision = 0;  // Of the newest that was heard.
    std::vector<ResourcePtr> resources;
    StoreRevision withdrawn_to = 0;  // A deletion that is known here before the store has told it.
    int withdrawals = 0;             // Under way.

    bool served() const { return withdrawals == 0 && revision > withdrawn_to; }
    // Nothing that may still be heard of it depends on what is kept here.
    bool forgettable() const {
      return withdrawals == 0 && resources.empty() && revision >= withdrawn_to;
    }
  };

  void Remove(absl::string_view name, StoreRevision revision) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `visit` with each kind until it returns false.
  void Visit(absl::FunctionRef<bool(const ResourcePtr&)> visit) const;

  const std::vector<ResourcePtr> built_in_;
  const TypeTable types_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Definition> custom_ ABSL_GUARDED_BY(mutex_);
  // What the store told of definitions that are no longer in `custom_` is not newer.
  StoreRevision forgotten_to_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_RESOURCE_REGISTRY_H_
