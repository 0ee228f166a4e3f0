#include "services/lib/kubeapi/resource_registry.h"

#include <algorithm>
#include <utility>

namespace skerry::kubeapi {

ResourceRegistry::ResourceRegistry(std::vector<ResourcePtr> built_in, TypeTable types)
    : built_in_(std::move(built_in)), types_(std::move(types)) {}

void ResourceRegistry::Visit(absl::FunctionRef<bool(const ResourcePtr&)> visit) const {
  for (const ResourcePtr& resource : built_in_) {
    if (!visit(resource)) return;
  }
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, definition] : custom_) {
    if (!definition.served()) continue;
    for (const ResourcePtr& resource : definition.resources) {
      if (!visit(resource)) return;
    }
  }
}

ResourcePtr ResourceRegistry::Find(absl::string_view group, absl::string_view version,
                                   absl::string_view plural) const {
  ResourcePtr found;
  Visit([&](const ResourcePtr& r) {
    if (r->plural == plural && r->group == group && r->version == version) found = r;
    return found == nullptr;
  });
  return found;
}

ResourcePtr ResourceRegistry::FindStorage(absl::string_view storage_name) const {
  ResourcePtr found;
  Visit([&](const ResourcePtr& r) {
    if (r->StorageName() == storage_name) found = r;
    return found == nullptr;
  });
  return found;
}

std::vector<ResourcePtr> ResourceRegistry::All() const {
  std::vector<ResourcePtr> all;
  Visit([&](const ResourcePtr& r) {
    all.push_back(r);
    return true;
  });
  return all;
}

void ResourceRegistry::SetCustom(absl::string_view name, StoreRevision revision,
                                 std::vector<ResourcePtr> resources) {
  absl::MutexLock lock(&mutex_);
  const auto found = custom_.find(std::string(name));
  const StoreRevision known = found == custom_.end() ? forgotten_to_ : found->second.revision;
  if (revision <= known) return;
  Definition& definition = custom_[std::string(name)];
  definition.revision = revision;
  definition.resources = std::move(resources);
  ++generation_;
}

void ResourceRegistry::RemoveCustom(absl::string_view name, StoreRevision revision) {
  absl::MutexLock lock(&mutex_);
  Remove(name, revision);
}

void ResourceRegistry::KeepCustom(const std::set<std::string>& names, StoreRevision revision) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> gone;
  for (const auto& [name, definition] : custom_) {
    if (names.count(name) == 0) gone.push_back(name);
  }
  for (const std::string& name : gone) Remove(name, revision);
}

void ResourceRegistry::Remove(absl::string_view name, StoreRevision revision) {
  forgotten_to_ = std::max(forgotten_to_, revision);
  const auto found = custom_.find(std::string(name));
  if (found == custom_.end() || revision < found->second.revision) return;
  found->second.revision = revision;
  found->second.resources.clear();
  if (found->second.forgettable()) custom_.erase(found);
  ++generation_;
}

ResourceRegistry::Withdrawal::Withdrawal(ResourceRegistry* registry, absl::string_view name)
    : registry_(registry), name_(name) {
  absl::MutexLock lock(&registry_->mutex_);
  ++registry_->custom_[name_].withdrawals;
  ++registry_->generation_;
}

ResourceRegistry::Withdrawal::~Withdrawal() {
  absl::MutexLock lock(&registry_->mutex_);
  const auto found = registry_->custom_.find(name_);
  Definition& definition = found->second;
  --definition.withdrawals;
  definition.withdrawn_to = std::max(definition.withdrawn_to, revision_);
  if (definition.forgettable()) registry_->custom_.erase(found);
  ++registry_->generation_;
}

uint64_t ResourceRegistry::generation() const {
  absl::MutexLock lock(&mutex_);
  return generation_;
}

}  // namespace skerry::kubeapi
