#include "services/lib/kubeapi/resource_registry.h"

#include <utility>

namespace skerry::kubeapi {

ResourceRegistry::ResourceRegistry(std::vector<ResourcePtr> built_in, TypeTable types)
    : built_in_(std::move(built_in)), types_(std::move(types)) {}

ResourcePtr ResourceRegistry::Find(absl::string_view group, absl::string_view version,
                                   absl::string_view plural) const {
  const auto fits = [&](const ResourcePtr& r) {
    return r->plural == plural && r->group == group && r->version == version;
  };
  for (const ResourcePtr& resource : built_in_) {
    if (fits(resource)) return resource;
  }
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, resources] : custom_) {
    for (const ResourcePtr& resource : resources) {
      if (fits(resource)) return resource;
    }
  }
  return nullptr;
}

ResourcePtr ResourceRegistry::FindStorage(absl::string_view storage_name) const {
  for (const ResourcePtr& resource : All()) {
    if (resource->StorageName() == storage_name) return resource;
  }
  return nullptr;
}

std::vector<ResourcePtr> ResourceRegistry::All() const {
  std::vector<ResourcePtr> all = built_in_;
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, resources] : custom_) {
    all.insert(all.end(), resources.begin(), resources.end());
  }
  return all;
}

void ResourceRegistry::SetCustom(absl::string_view name, std::vector<ResourcePtr> resources) {
  absl::MutexLock lock(&mutex_);
  custom_[std::string(name)] = std::move(resources);
  ++generation_;
}

void ResourceRegistry::RemoveCustom(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  if (custom_.erase(std::string(name)) > 0) ++generation_;
}

uint64_t ResourceRegistry::generation() const {
  absl::MutexLock lock(&mutex_);
  return generation_;
}

}  // namespace skerry::kubeapi
