#include "services/device-controller-svc/core/interest.h"

#include <utility>

namespace skerry::devicecontroller {

Interest::Device Interest::Effective(const std::string& device) const {
  const auto it = devices_.find(device);
  if (it == devices_.end() || disabled_.contains(device)) return {};
  return it->second;
}

void Interest::AcquireModel(const std::string& node, const std::string& model,
                            std::vector<Change>& changes) {
  if (nodes_[node].models[model]++ > 0) return;
  needed_models_[model].insert(node);
  changes.push_back({node, kDeviceModels, model});
}

void Interest::ReleaseModel(const std::string& node, const std::string& model,
                            std::vector<Change>& changes) {
  Node& needs = nodes_[node];
  const auto count = needs.models.find(model);
  if (--count->second > 0) return;
  needs.models.erase(count);
  const auto nodes = needed_models_.find(model);
  nodes->second.erase(node);
  if (nodes->second.empty()) needed_models_.erase(nodes);
  changes.push_back({node, kDeviceModels, model});
}

std::vector<Interest::Change> Interest::Move(const std::string& device, const Device& from,
                                             const Device& to) {
  std::vector<Change> changes;
  if (from == to) return changes;
  // First the new, then the old: a model that both need is never dropped in between.
  if (!to.node.empty()) {
    if (to.node != from.node) {
      nodes_[to.node].devices.insert(device);
      changes.push_back({to.node, kDevices, device});
    }
    if (!to.model.empty()) AcquireModel(to.node, to.model, changes);
  }
  if (!from.node.empty()) {
    if (to.node != from.node) {
      nodes_[from.node].devices.erase(device);
      changes.push_back({from.node, kDevices, device});
    }
    if (!from.model.empty()) ReleaseModel(from.node, from.model, changes);
    const auto node = nodes_.find(from.node);
    if (node->second.devices.empty() && node->second.models.empty()) nodes_.erase(node);
  }
  return changes;
}

std::vector<Interest::Change> Interest::SetDevice(const std::string& device,
                                                  const std::string& node,
                                                  const std::string& model) {
  const Device before = Effective(device);
  devices_[device] = {node, model};
  return Move(device, before, Effective(device));
}

std::vector<Interest::Change> Interest::RemoveDevice(const std::string& device) {
  const Device before = Effective(device);
  devices_.erase(device);
  return Move(device, before, {});
}

std::vector<Interest::Change> Interest::SetDisabled(const std::string& device, bool disabled) {
  const Device before = Effective(device);
  if (disabled) {
    disabled_.insert(device);
  } else {
    disabled_.erase(device);
  }
  return Move(device, before, Effective(device));
}

bool Interest::Needs(const std::string& node, const std::string& type,
                     const std::string& key) const {
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return false;
  return type == kDevices ? it->second.devices.contains(key)
                          : type == kDeviceModels && it->second.models.contains(key);
}

std::vector<std::string> Interest::NodesThatNeed(const std::string& type,
                                                 const std::string& key) const {
  if (type == kDevices) {
    const Device device = Effective(key);
    return device.node.empty() ? std::vector<std::string>() : std::vector{device.node};
  }
  const auto it = needed_models_.find(key);
  if (type != kDeviceModels || it == needed_models_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

std::vector<std::string> Interest::KeysNeeded(const std::string& node,
                                              const std::string& type) const {
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return {};
  if (type == kDevices) return {it->second.devices.begin(), it->second.devices.end()};
  std::vector<std::string> keys;
  if (type == kDeviceModels) {
    for (const auto& [model, count] : it->second.models) keys.push_back(model);
  }
  return keys;
}

}  // namespace skerry::devicecontroller
