#include "services/lib/cloudspoke/sessions.h"

namespace skerry::cloudspoke {

bool Sessions::Connect(absl::string_view hub, absl::string_view node, uint64_t epoch,
                       absl::Duration now, absl::string_view event_store_id) {
  absl::MutexLock lock(&mutex_);
  Session& session = nodes_[std::string(node)];
  if (session.epoch > epoch && (session.connected || session.hub != hub)) return false;
  if (session.connected) Count(session.hub, -1);
  session = {.hub = std::string(hub),
             .epoch = epoch,
             .event_store_id = std::string(event_store_id),
             .connected = true,
             .changed_at = now};
  Count(session.hub, 1);
  return true;
}

bool Sessions::Disconnect(absl::string_view hub, absl::string_view node, uint64_t epoch,
                          absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(std::string(node));
  if (it == nodes_.end() || !it->second.connected || it->second.hub != hub ||
      it->second.epoch != epoch) {
    return false;
  }
  it->second.connected = false;
  it->second.changed_at = now;
  Count(it->second.hub, -1);
  return true;
}

std::vector<std::string> Sessions::DropHub(absl::string_view hub, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> dropped;
  for (auto& [node, session] : nodes_) {
    if (session.hub != hub || !session.connected) continue;
    session.connected = false;
    session.changed_at = now;
    Count(session.hub, -1);
    dropped.push_back(node);
  }
  return dropped;
}

bool Sessions::IsCurrent(absl::string_view hub, absl::string_view node, uint64_t epoch) const {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(std::string(node));
  return it != nodes_.end() && it->second.connected && it->second.hub == hub &&
         it->second.epoch == epoch;
}

std::optional<Session> Sessions::Find(absl::string_view node) const {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(std::string(node));
  if (it == nodes_.end()) return std::nullopt;
  return it->second;
}

void Sessions::NodeWritten(absl::string_view node) {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(std::string(node));
  if (it != nodes_.end()) it->second.node_written = true;
}

void Sessions::NodeDeleted(absl::string_view node) {
  absl::MutexLock lock(&mutex_);
  const auto it = nodes_.find(std::string(node));
  if (it == nodes_.end()) return;
  if (it->second.connected) {
    it->second.node_deleted = true;
  } else {
    nodes_.erase(it);
  }
}

size_t Sessions::connected() const {
  absl::MutexLock lock(&mutex_);
  return connected_;
}

size_t Sessions::connected_to(absl::string_view hub) const {
  absl::MutexLock lock(&mutex_);
  const auto it = connected_to_.find(std::string(hub));
  return it == connected_to_.end() ? 0 : it->second;
}

void Sessions::Count(const std::string& hub, int delta) {
  connected_ += static_cast<size_t>(delta);
  size_t& at_hub = connected_to_[hub];
  at_hub += static_cast<size_t>(delta);
  if (at_hub == 0) connected_to_.erase(hub);
}

}  // namespace skerry::cloudspoke
