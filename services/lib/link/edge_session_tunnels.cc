// The tunnels of an EdgeSession.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/edge_session.h"

namespace skerry::link {

bool EdgeSession::CanJoin(uint64_t epoch, uint64_t tunnel) const {
  return connected() && epoch == epoch_ && unjoined_.count(tunnel) != 0;
}

void EdgeSession::Receive(TunnelOpen frame) {
  if (frame.id <= tunnels_.last_id()) {
    return Hangup(
        Violation("link-8.1", absl::StrCat("tunnel ", frame.id, " after ", tunnels_.last_id())));
  }
  if (tunnels_.Full()) {
    return Hangup(Violation("link-8.1", absl::StrCat("more than ", kTunnelsMax, " tunnels")));
  }
  tunnels_.Add(frame.id, frame.credit);
  auto taker = tunnel_takers_.find(frame.type);
  if (taker == tunnel_takers_.end()) {
    tunnels_.Close(frame.id, Error(absl::StatusCode::kUnavailable,
                                   absl::StrCat("no service of the node takes tunnels of type ",
                                                frame.type, " now"))
                                 .Reason("NO_TUNNEL_TAKER"));
    return FlushTunnels();
  }
  unjoined_[frame.id] = now_ + config_.tunnel_join_timeout;
  ToSpoke(taker->second,
          edge::TunnelRequest{epoch_, frame.id, std::move(frame.type), std::move(frame.target)});
}

void EdgeSession::On(edge::JoinTunnel event) {
  if (unjoined_.erase(event.tunnel) == 0) return;
  tunnels_.Accept(event.tunnel);
  Send(TunnelAccept{event.tunnel, kTunnelWindowBytes});
}

void EdgeSession::On(tunnel::FromUser event) {
  tunnels_.On(std::move(event));
  FlushTunnels();
}

void EdgeSession::Receive(TunnelData frame) { TunnelReceived(tunnels_.Receive(std::move(frame))); }
void EdgeSession::Receive(TunnelCredit frame) { TunnelReceived(tunnels_.Receive(frame)); }
void EdgeSession::Receive(TunnelClose frame) {
  if (!frame.half_close) unjoined_.erase(frame.id);
  TunnelReceived(tunnels_.Receive(std::move(frame)));
}

void EdgeSession::TunnelReceived(absl::StatusOr<bool> current) {
  if (!current.ok()) return Hangup(current.status());
  if (!*current) Count(edge::Incident::kStaleTunnel);
  FlushTunnels();
}

void EdgeSession::RefuseUnjoined() {
  while (!unjoined_.empty() && unjoined_.begin()->second <= now_) {
    tunnels_.Close(unjoined_.begin()->first,
                   Error(absl::StatusCode::kDeadlineExceeded,
                         "the service of the node did not take the tunnel in time")
                       .Reason("TUNNEL_NOT_JOINED"));
    unjoined_.erase(unjoined_.begin());
  }
  FlushTunnels();
}

void EdgeSession::EndTunnels(const absl::Status& status) {
  unjoined_.clear();
  tunnels_.EndAll(status);
  FlushTunnels();
}

void EdgeSession::FlushTunnels() {
  EmitTunnels();
  if (tunnels_.paced()) Pump();
}

void EdgeSession::EmitTunnels() {
  tunnels_.Flush([this](auto frame) { Send(std::move(frame)); },
                 [this](tunnel::ToUser message) { Emit(std::move(message)); });
  if (tunnels_.Waiting() && !std::exchange(draining_, true)) Emit(edge::AwaitDrained{connection_});
}

}  // namespace skerry::link
