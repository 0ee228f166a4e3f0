// How nodes leave this hub for another replica: those that have gone, and those that are to go.
#include <algorithm>

#include "services/cloudhub-svc/sessions/node_session.h"
#include "services/cloudhub-svc/sessions/shard.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;

void Shard::FenceBelow(const NodeName& node, uint64_t epoch) {
  executor_.Post([this, node, epoch] {
    auto it = by_node_.find(node.value());
    if (it != by_node_.end() && it->second->machine.epoch() < epoch)
      Feed(SessionPtr(it->second), cloud::Fence{});
    auto moving = moving_.find(node.value());
    if (moving != moving_.end() && moving->second < epoch) moving_.erase(moving);
    // One that is being admitted may have got its epoch before.
    auto dialling = dialling_.find(node.value());
    if (dialling != dialling_.end())
      dialling->second->epoch_min = std::max(dialling->second->epoch_min, epoch);
  });
}

void Shard::Drain(absl::Duration retry_after) {
  executor_.Post([this, retry_after] {
    draining_ = true;
    desk_.CloseWatchers(Draining());
    drain_retry_after_ = retry_after;
    for (const SessionPtr& session : std::set<SessionPtr>(sessions_))
      Feed(session, cloud::Drain{retry_after});
  });
}

void Shard::StartDrain(absl::Duration pause) {
  executor_.Post([this, pause] {
    draining_ = true;
    desk_.CloseWatchers(Draining());
    drain_retry_after_ = absl::ZeroDuration();
    executor_.Cancel(drain_timer_);
    MoveNext(pause);
  });
}

void Shard::StopDrain() {
  executor_.Post([this] {
    draining_ = false;
    executor_.Cancel(drain_timer_);
    moving_.clear();
  });
}

// With jitter, so that replicas and shards that drain together don't beat.
void Shard::MoveNext(absl::Duration pause) {
  if (by_node_.empty()) return;
  const SessionPtr session = by_node_.begin()->second;
  moving_[session->node.value()] = session->machine.epoch();
  Feed(session, cloud::Drain{absl::ZeroDuration()});
  drain_timer_ = executor_.PostAfter(pause * absl::Uniform(random_, 0.5, 1.5),
                                     [this, pause] { MoveNext(pause); });
}

void Shard::AddState(HubState& state) {
  constexpr size_t kNamesMax = 10;
  executor_.Run([&] {
    state.draining = state.draining || draining_;
    state.sessions += static_cast<int>(by_node_.size());
    state.moving += static_cast<int>(moving_.size());
    for (const auto& [node, epoch] : moving_) {
      if (state.moving_nodes.size() == kNamesMax) break;
      state.moving_nodes.push_back(node);
    }
  });
}

}  // namespace skerry::cloudhub
