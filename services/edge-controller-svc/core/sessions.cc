#include "services/edge-controller-svc/core/sessions.h"

namespace skerry::edgecontroller {

bool Sessions::Connect(absl::string_view hub, absl::string_view node, uint64_t epoch,
                       absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Session& session = nodes_[std::string(node)];
  if (session.epoch > epoch && session.connected) return false;
  if (!session.connected) ++connected_;
  session = {.hub = std::string(hub), .epoch = epoch, .connected = true, .changed_at = now};
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
  --connected_;
  return true;
}

std::vector<std::string> Sessions::DropHub(absl::string_view hub, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> dropped;
  for (auto& [node, session] : nodes_) {
    if (session.hub != hub || !session.connected) continue;
    session.connected = false;
    session.changed_at = now;
    --connected_;
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

}  // namespace skerry::edgecontroller
