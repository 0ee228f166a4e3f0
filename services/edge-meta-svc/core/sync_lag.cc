#include "services/edge-meta-svc/core/sync_lag.h"

#include <algorithm>

#include "services/lib/base/strings.h"

namespace skerry::edgemeta {

SyncLag::SyncLag(const std::vector<std::string>& types) {
  for (const std::string& type : types) types_[type] = Lag{};
}

void SyncLag::Linked(bool linked, absl::Duration now) {
  if (linked == linked_) return;
  linked_ = linked;
  for (auto& [type, lag] : types_) {
    if (!linked && !lag.in_step) lag.before += now - lag.since;
    lag.in_step = false;
    lag.since = now;
  }
}

void SyncLag::Subscribed(absl::string_view type, absl::Duration now) {
  auto it = types_.find(ToStd(type));
  if (it == types_.end() || !it->second.in_step) return;
  it->second = Lag{.since = now};
}

void SyncLag::InStep(absl::string_view type) {
  auto it = types_.find(ToStd(type));
  if (it == types_.end() || !linked_) return;
  it->second = Lag{.in_step = true};
}

absl::Duration SyncLag::Of(absl::string_view type, absl::Duration now) const {
  auto it = types_.find(ToStd(type));
  if (it == types_.end() || it->second.in_step) return absl::ZeroDuration();
  return it->second.before + (linked_ ? now - it->second.since : absl::ZeroDuration());
}

bool SyncLag::grows() const {
  return linked_ && std::any_of(types_.begin(), types_.end(),
                                [](const auto& type) { return !type.second.in_step; });
}

}  // namespace skerry::edgemeta
