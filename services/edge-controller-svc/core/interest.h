// Which node needs which objects.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_INTEREST_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_INTEREST_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/edge-controller-svc/core/object_ref.h"

namespace skerry::edgecontroller {

// A node needs its own Node object, its pods, what they refer to, and what their ServiceAccounts
// refer to; nothing else (promise L7). Indexed both ways, so that a change of one object costs what
// it touches and not the size of the cluster. Whether a referenced object exists does not matter
// here. Used by one thread.
class Interest {
 public:
  // A node began or ceased to need an object.
  struct Change {
    std::string node;
    ObjectRef ref;
    auto operator<=>(const Change&) const = default;
  };

  // `refs` as of RefsOfPod. The pod's own need is among the changes when it is new or moved.
  std::vector<Change> UpsertPod(absl::string_view pod_key, absl::string_view node,
                                const std::set<ObjectRef>& refs);
  std::vector<Change> RemovePod(absl::string_view pod_key);
  // `refs` as of RefsOfServiceAccount; empty when it is deleted.
  std::vector<Change> SetServiceAccount(absl::string_view key, const std::set<ObjectRef>& refs);

  bool Needs(absl::string_view node, const ObjectRef& ref) const;
  std::vector<std::string> NodesThatNeed(const ObjectRef& ref) const;
  std::vector<std::string> KeysNeeded(absl::string_view node, absl::string_view type) const;

 private:
  struct Pod {
    std::string node;
    std::set<ObjectRef> refs;
  };
  void Acquire(const std::string& node, const ObjectRef& ref, std::vector<Change>& changes);
  void Release(const std::string& node, const ObjectRef& ref, std::vector<Change>& changes);

  std::map<std::string, Pod> pods_;
  std::map<std::string, std::set<ObjectRef>> service_accounts_;
  std::map<std::string, std::map<ObjectRef, size_t>> needs_;  // Node -> object -> how many reasons.
  std::map<ObjectRef, std::set<std::string>> needed_by_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CORE_INTEREST_H_
