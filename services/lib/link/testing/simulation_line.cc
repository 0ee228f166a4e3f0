// The line between the two ends in the simulation: it delivers, breaks and forgets.
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::link::testing {
namespace {

// More of the same frame follows: it comes at once, else hardly any would be complete.
template <typename Frame>
bool IsPart(const Frame& frame) {
  const auto* chunk = std::get_if<Chunk>(&frame);
  return chunk != nullptr && !chunk->last;
}

}  // namespace

void Simulation::DeliverUp() {
  auto it = connections_.find(edge_connection_);
  // Frames of earlier connections may still arrive, as long as the hub's end is open.
  if (it == connections_.end() || Random(4) == 0) {
    if (connections_.empty()) return;
    it = connections_.begin();
    std::advance(it, Random(connections_.size()));
  }
  Connection& connection = it->second;
  for (bool more = true; more;) {
    if (connection.cut || connection.up.empty() || connection.session == nullptr) return;
    EdgeFrame frame = std::move(connection.up.front());
    connection.up.pop_front();
    more = IsPart(frame);
    if (more) ++seen_["chunk up"];
    FeedCloud(it->first, cloud::FrameReceived{std::move(frame)});
  }
}

void Simulation::DeliverDown() {
  auto it = connections_.find(edge_connection_);
  for (bool more = true; more;) {
    it = connections_.find(edge_connection_);
    if (it == connections_.end() || it->second.cut || it->second.down.empty()) return;
    CloudFrame frame = std::move(it->second.down.front());
    it->second.down.pop_front();
    more = IsPart(frame);
    if (more) ++seen_["chunk down"];
    heard_ = now_;
    if (const auto* welcome = std::get_if<Welcome>(&frame)) interval_ = welcome->heartbeat_interval;
    if (const auto* heartbeat = std::get_if<Heartbeat>(&frame);
        heartbeat != nullptr && heartbeat->interval != absl::ZeroDuration())
      interval_ = heartbeat->interval;
    FeedEdge(edge::FrameReceived{it->first - connection_base_, std::move(frame)});
  }
}

void Simulation::PassLine(Connection& connection) {
  if (!connection.cut && now_ - connection.last_frame > forgets_after_) {
    ++seen_["line forgot"];
    connection.cut = true;
  }
  connection.last_frame = now_;
}

void Simulation::Cut() {
  auto it = connections_.find(edge_connection_);
  if (it == connections_.end() || it->second.cut) return;
  const uint64_t id = it->first;
  it->second.cut = true;
  const uint64_t who = Random(4);
  ++seen_[who == 3 ? "half-open connection" : "broken connection"];
  if (who != 1 && who != 3) FeedCloud(id, cloud::LinkClosed{});
  if (who != 2 && who != 3)
    FeedEdge(edge::LinkClosed{id - connection_base_, absl::UnavailableError("cut")});
}

void Simulation::CheckDeadPeers() {
  if (edge_->connected() && now_ - heard_ >= 2 * interval_) Fail("edge: a dead hub is not noticed");
  for (const auto& [id, connection] : connections_) {
    if (connection.session != nullptr && connection.session->open() &&
        now_ - connection.heard >= 2 * connection.interval)
      Fail("hub: a dead node is not noticed");
  }
}

void Simulation::CheckIdleLine() {
  if (forgets_after_ == absl::InfiniteDuration()) return;
  const auto idle = [this](absl::Duration time) {
    const int forgot = seen_["line forgot"];
    for (const absl::Duration end = now_ + time; now_ < end && failure_.empty();) {
      Work(5);
      Advance(absl::Seconds(1));
    }
    return seen_["line forgot"] - forgot;
  };
  idle(absl::Minutes(10));
  if (idle(absl::Minutes(5)) != 0 || !edge_->connected() || interval_ > forgets_after_) {
    return Fail(absl::StrCat("an interval of ", absl::FormatDuration(interval_), " on a line for ",
                             absl::FormatDuration(forgets_after_)));
  }
  if (interval_ < cloud_config_.heartbeat_interval) ++seen_["line outlived"];
}

}  // namespace skerry::link::testing
