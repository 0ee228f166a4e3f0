// The users of tunnels, at both ends, in the simulation.
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::link::testing {
namespace {

// What a user may have given to the session and not seen taken, as the hubs' streams bound it.
constexpr size_t kUntakenMax = 8;

// Byte `position` of what one end sends through a tunnel.
char ByteAt(uint64_t tunnel, bool from_cloud, size_t position) {
  return static_cast<char>('a' + (tunnel * 7 + position + (from_cloud ? 13 : 0)) % 26);
}

size_t TunnelBytesIn(const std::deque<CloudFrame>& frames) {
  size_t bytes = 0;
  for (const CloudFrame& frame : frames) {
    if (const auto* data = std::get_if<TunnelData>(&frame)) bytes += data->bytes.size();
  }
  return bytes;
}

}  // namespace

void Simulation::OpenTunnel() {
  if (current_ == 0 || cloud_users_.size() >= 6) return;
  const uint64_t tunnel = ++last_tunnel_;
  cloud_users_[tunnel].connection = current_;
  ++seen_["tunnel"];
  FeedCloud(current_, cloud::OpenTunnel{tunnel, "kubelet", ""});
}

void Simulation::JoinTunnel(const edge::TunnelRequest& request) {
  if (Random(6) == 0) return;  // The service of the box is slow: the time runs out.
  if (!edge_->CanJoin(request.epoch, request.tunnel)) return;
  box_users_[request.tunnel].connection = edge_connection_;
  FeedEdge(edge::JoinTunnel{request.tunnel});
}

void Simulation::FromTunnelUser(bool cloud, uint64_t tunnel, const TunnelUser& user,
                                tunnel::FromUser event) {
  event.tunnel = tunnel;
  if (cloud) return FeedCloud(user.connection, std::move(event));
  FeedEdge(std::move(event));
}

void Simulation::TunnelWork() {
  const bool cloud = Random(2) == 0;
  std::map<uint64_t, TunnelUser>& users = cloud ? cloud_users_ : box_users_;
  if (users.empty()) return;
  auto it = users.begin();
  std::advance(it, Random(users.size()));
  const uint64_t tunnel = it->first;
  TunnelUser& user = it->second;
  const uint64_t dice = Random(100);
  if (dice < 50 && !user.half_closed) {
    // Now and then as much at once as fills the transport.
    const bool burst = Random(4) == 0;
    for (size_t i = 0; i < (burst ? kUntakenMax : 1) && users.count(tunnel) != 0; ++i) {
      TunnelUser& sender = users.at(tunnel);
      if (sender.untaken >= kUntakenMax) return;
      std::string bytes(burst ? kTunnelDataBytesMax : 1 + Random(100), ' ');
      for (char& c : bytes) c = ByteAt(tunnel, cloud, sender.sent++);
      ++sender.untaken;
      FromTunnelUser(cloud, tunnel, TunnelUser(sender), {0, tunnel::Bytes{std::move(bytes)}});
    }
  } else if (dice < 90 && user.unconsumed > 0) {
    const size_t bytes = std::exchange(user.unconsumed, 0);
    FromTunnelUser(cloud, tunnel, user, {0, tunnel::Consumed{bytes}});
  } else if (dice < 96 && !user.half_closed) {
    user.half_closed = true;
    FromTunnelUser(cloud, tunnel, user, {0, tunnel::HalfClose{}});
  } else if (dice >= 98) {
    const TunnelUser gone = user;
    users.erase(it);
    ++seen_["tunnel left"];
    FromTunnelUser(cloud, tunnel, gone, {0, tunnel::End{absl::CancelledError("gone")}});
  }
}

void Simulation::FinishTunnels() {
  for (const bool cloud : {true, false}) {
    std::map<uint64_t, TunnelUser> users = cloud ? cloud_users_ : box_users_;
    for (auto& [tunnel, user] : users) {
      auto& all = cloud ? cloud_users_ : box_users_;
      auto it = all.find(tunnel);
      if (it == all.end()) continue;
      const size_t bytes = std::exchange(it->second.unconsumed, 0);
      const bool half_closed = std::exchange(it->second.half_closed, true);
      FromTunnelUser(cloud, tunnel, user, {0, tunnel::Consumed{bytes}});
      if (!half_closed) FromTunnelUser(cloud, tunnel, user, {0, tunnel::HalfClose{}});
    }
  }
  DrainTunnels();
}

void Simulation::ToTunnelUser(bool cloud, tunnel::ToUser message) {
  std::map<uint64_t, TunnelUser>& users = cloud ? cloud_users_ : box_users_;
  auto it = users.find(message.tunnel);
  if (it == users.end()) return;  // It is gone.
  TunnelUser& user = it->second;
  if (std::holds_alternative<tunnel::Taken>(message.body)) {
    if (user.untaken-- == 0) Fail("taken more often than given");
  } else if (auto* bytes = std::get_if<tunnel::Bytes>(&message.body)) {
    if (user.peer_half_closed) Fail("bytes after the half close");
    for (char c : bytes->bytes) {
      if (c != ByteAt(message.tunnel, !cloud, user.received++))
        Fail("a tunnel's bytes are mixed up");
    }
    user.unconsumed += bytes->bytes.size();
    if (user.unconsumed > kTunnelWindowBytes) Fail("a tunnel's user is given more than its window");
  } else if (std::holds_alternative<tunnel::HalfClose>(message.body)) {
    user.peer_half_closed = true;
  } else if (auto* end = std::get_if<tunnel::End>(&message.body)) {
    if (end->status.ok()) {
      ++seen_["tunnel complete"];
      if (!user.half_closed || !user.peer_half_closed) Fail("a tunnel ends before both sides do");
      const auto& peers = cloud ? box_users_ : cloud_users_;
      auto peer = peers.find(message.tunnel);
      if (peer != peers.end() && peer->second.sent != user.received) Fail("a tunnel ends early");
    } else {
      ++seen_[absl::StrCat("tunnel end ", std::string(end->status.message()).substr(0, 12))];
    }
    users.erase(it);
  }
}

void Simulation::DrainTunnels() {
  std::vector<uint64_t> drained;
  for (auto& [id, connection] : connections_) {
    const size_t bytes = TunnelBytesIn(connection.down);
    if (bytes > kTunnelUnsentBytesMax + kTunnelDataBytesMax)
      Fail("too much tunnel data waits in the transport");
    if (bytes == 0 && std::exchange(connection.drain_awaited, false)) drained.push_back(id);
  }
  for (uint64_t id : drained) FeedCloud(id, cloud::Drained{});
}

}  // namespace skerry::link::testing
