#include "services/edge-controller-svc/core/interest.h"

#include <utility>

#include "services/lib/base/check.h"

namespace skerry::edgecontroller {

void Interest::Acquire(const std::string& node, const ObjectRef& ref,
                       std::vector<Change>& changes) {
  if (needs_[node][ref]++ > 0) return;
  needed_by_[ref].insert(node);
  changes.push_back({node, ref});
  if (ref.type != kServiceAccounts) return;
  if (const auto it = service_accounts_.find(ref.key); it != service_accounts_.end()) {
    for (const ObjectRef& secret : it->second) Acquire(node, secret, changes);
  }
}

void Interest::Release(const std::string& node, const ObjectRef& ref,
                       std::vector<Change>& changes) {
  const auto needs = needs_.find(node);
  SKERRY_CHECK(needs != needs_.end());
  const auto count = needs->second.find(ref);
  SKERRY_CHECK(count != needs->second.end());
  if (--count->second > 0) return;
  needs->second.erase(count);
  if (needs->second.empty()) needs_.erase(needs);
  if (const auto it = needed_by_.find(ref); it != needed_by_.end()) {
    it->second.erase(node);
    if (it->second.empty()) needed_by_.erase(it);
  }
  changes.push_back({node, ref});
  if (ref.type != kServiceAccounts) return;
  if (const auto it = service_accounts_.find(ref.key); it != service_accounts_.end()) {
    for (const ObjectRef& secret : it->second) Release(node, secret, changes);
  }
}

std::vector<Interest::Change> Interest::UpsertPod(absl::string_view pod_key, absl::string_view node,
                                                  const std::set<ObjectRef>& refs) {
  std::vector<Change> changes;
  const std::string key(pod_key);
  const auto it = pods_.find(key);
  if (it != pods_.end() && it->second.node != std::string(node)) changes = RemovePod(pod_key);
  Pod& pod = pods_[key];
  if (pod.node.empty()) {
    pod.node = std::string(node);
    Acquire(pod.node, {kPods, key}, changes);
  }
  // First the new, then the old: what both name is never dropped in between.
  const std::set<ObjectRef> before = std::exchange(pod.refs, refs);
  for (const ObjectRef& ref : refs) {
    if (!before.contains(ref)) Acquire(pod.node, ref, changes);
  }
  for (const ObjectRef& ref : before) {
    if (!refs.contains(ref)) Release(pod.node, ref, changes);
  }
  return changes;
}

std::vector<Interest::Change> Interest::RemovePod(absl::string_view pod_key) {
  std::vector<Change> changes;
  const auto it = pods_.find(std::string(pod_key));
  if (it == pods_.end()) return changes;
  const Pod pod = std::move(it->second);
  pods_.erase(it);
  for (const ObjectRef& ref : pod.refs) Release(pod.node, ref, changes);
  Release(pod.node, {kPods, std::string(pod_key)}, changes);
  return changes;
}

std::vector<Interest::Change> Interest::SetServiceAccount(absl::string_view key,
                                                          const std::set<ObjectRef>& refs) {
  std::vector<Change> changes;
  const std::string name(key);
  std::set<ObjectRef> before;
  if (const auto it = service_accounts_.find(name); it != service_accounts_.end()) {
    before = std::exchange(it->second, refs);
    if (refs.empty()) service_accounts_.erase(it);
  } else if (!refs.empty()) {
    service_accounts_.emplace(name, refs);
  }
  for (const std::string& node : NodesThatNeed({kServiceAccounts, name})) {
    for (const ObjectRef& ref : refs) {
      if (!before.contains(ref)) Acquire(node, ref, changes);
    }
    for (const ObjectRef& ref : before) {
      if (!refs.contains(ref)) Release(node, ref, changes);
    }
  }
  return changes;
}

bool Interest::Needs(absl::string_view node, const ObjectRef& ref) const {
  if (ref.type == kNodes) return ref.key == std::string(node);
  const auto it = needs_.find(std::string(node));
  return it != needs_.end() && it->second.contains(ref);
}

std::vector<std::string> Interest::NodesThatNeed(const ObjectRef& ref) const {
  if (ref.type == kNodes) return {ref.key};
  const auto it = needed_by_.find(ref);
  if (it == needed_by_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

std::vector<std::string> Interest::KeysNeeded(absl::string_view node,
                                              absl::string_view type) const {
  if (type == kNodes) return {std::string(node)};
  std::vector<std::string> keys;
  const auto it = needs_.find(std::string(node));
  if (it == needs_.end()) return keys;
  const std::string wanted(type);
  for (auto ref = it->second.lower_bound({wanted, ""});
       ref != it->second.end() && ref->first.type == wanted; ++ref) {
    keys.push_back(ref->first.key);
  }
  return keys;
}

}  // namespace skerry::edgecontroller
