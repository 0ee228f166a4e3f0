#include "services/lib/cloudspoke/subscription.h"

#include "absl/strings/str_cat.h"

namespace skerry::cloudspoke {

std::string VersionOf(const KubeObject& object) {
  return absl::StrCat(object.uid(), "/", object.resource_version());
}

bool Subscription::AddHolding(const std::string& key, const std::string& version,
                              size_t holdings_max) {
  if (!held_.contains(key) && held_.size() >= holdings_max) return false;
  held_[key] = {.version = version};
  return true;
}

void Subscription::Begin(const std::vector<std::string>& needed) {
  begun_ = true;
  for (const auto& [key, held] : held_) dirty_.insert(key);
  dirty_.insert(needed.begin(), needed.end());
}

void Subscription::Touch(const std::string& key, bool needed) {
  if (begun_) (needed ? dirty_ : unneeded_).insert(key);
}

std::optional<Push> Subscription::Decide(const std::string& key, const Lookup& lookup) {
  const std::optional<Desired> desired = lookup(key);
  const auto held = held_.find(key);
  if (!desired.has_value()) {
    if (held == held_.end()) return std::nullopt;
    held_.erase(held);
    return Push{.kind = Push::Kind::kDelete, .key = key};
  }
  std::string version = VersionOf(desired->object);
  if (held != held_.end()) {
    if (held->second.version == version) {
      held->second.digest = desired->digest;
      return std::nullopt;
    }
    if (desired->digest != 0 && held->second.digest == desired->digest) return std::nullopt;
  }
  held_[key] = {.version = version, .digest = desired->digest};
  return Push{.kind = Push::Kind::kUpsert,
              .key = key,
              .version = std::move(version),
              .object = desired->object};
}

std::optional<Push> Subscription::Next(const Lookup& lookup) {
  if (!begun_) return std::nullopt;
  while (!unneeded_.empty() || !dirty_.empty()) {
    std::set<std::string>& keys = unneeded_.empty() ? dirty_ : unneeded_;
    const std::string key = *keys.begin();
    keys.erase(keys.begin());
    if (std::optional<Push> push = Decide(key, lookup)) return push;
  }
  if (synced_) return std::nullopt;
  synced_ = true;
  return Push{.kind = Push::Kind::kSynced};
}

}  // namespace skerry::cloudspoke
