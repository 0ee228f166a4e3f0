#include "services/router-svc/runner/box_rules.h"

#include <utility>

namespace skerry::router {

std::vector<std::string> BoxRules::Upsert(const KubeObject& rule) {
  std::optional<BoxRule> box = ForBox(rule);
  const auto before = rules_.find(rule.key());
  const bool same = before != rules_.end() && box.has_value() && before->second.node == box->node &&
                    before->second.object.resource_version() == box->object.resource_version();
  if (same) return {};
  std::vector<std::string> touched = Remove(rule.key());
  if (!box.has_value()) return touched;
  if (touched.empty() || touched[0] != box->node) touched.push_back(box->node);
  nodes_[box->node].insert(rule.key());
  rules_.insert_or_assign(rule.key(), *std::move(box));
  return touched;
}

std::vector<std::string> BoxRules::Remove(const std::string& rule) {
  const auto it = rules_.find(rule);
  if (it == rules_.end()) return {};
  const std::string node = it->second.node;
  rules_.erase(it);
  const auto keys = nodes_.find(node);
  keys->second.erase(rule);
  if (keys->second.empty()) nodes_.erase(keys);
  return {node};
}

bool BoxRules::Needs(const std::string& node, const std::string& type,
                     const std::string& key) const {
  const auto it = rules_.find(key);
  return type == kRuleType && it != rules_.end() && it->second.node == node;
}

std::vector<std::string> BoxRules::KeysNeeded(const std::string& node,
                                              const std::string& type) const {
  const auto it = nodes_.find(node);
  if (type != kRuleType || it == nodes_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

std::optional<cloudspoke::Desired> BoxRules::Lookup(const std::string& node,
                                                    const std::string& type,
                                                    const std::string& key) const {
  if (!Needs(node, type, key)) return std::nullopt;
  return cloudspoke::Desired{.object = rules_.at(key).object};
}

}  // namespace skerry::router
