#include "services/lib/link/tunnel_mux.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"

namespace skerry::link {

void TunnelMux::Add(uint64_t id, uint64_t send_credit) {
  last_id_ = id;
  tunnels_[id].send_credit = send_credit;
}

void TunnelMux::Accept(uint64_t id) { tunnels_[id].accepted = true; }

// ---- from the user ----

void TunnelMux::On(tunnel::FromUser event) {
  auto it = tunnels_.find(event.tunnel);
  if (it == tunnels_.end()) return;
  std::visit([&](auto& body) { FromUser(it, std::move(body)); }, event.body);
}

void TunnelMux::FromUser(Iterator it, tunnel::Bytes body) {
  if (body.bytes.empty() || it->second.half_closed) return ToUser(it->first, tunnel::Taken{});
  it->second.queue.push_back(std::move(body.bytes));
  Pump();
}

void TunnelMux::FromUser(Iterator it, tunnel::Consumed body) {
  Tunnel& tunnel = it->second;
  tunnel.consumed += body.bytes;
  // A few large frames instead of one for each message; the peer has the rest of its window.
  if (tunnel.peer_half_closed || tunnel.consumed < kTunnelWindowBytes / 4) return;
  tunnel.receive_credit += tunnel.consumed;
  output_.push_back(TunnelCredit{it->first, std::exchange(tunnel.consumed, 0)});
}

void TunnelMux::FromUser(Iterator it, tunnel::HalfClose) {
  it->second.half_closed = true;
  HalfCloseIfDone(it);
}

void TunnelMux::FromUser(Iterator it, tunnel::End body) {
  Close(it->first, std::move(body.status));
}

void TunnelMux::Close(uint64_t id, absl::Status status) {
  tunnels_.erase(id);
  output_.push_back(TunnelClose{id, false, std::move(status)});
}

// ---- the way out ----

void TunnelMux::Drained() {
  unsent_bytes_ = 0;
  Pump();
}

bool TunnelMux::Waiting() {
  return unsent_bytes_ >= kTunnelUnsentBytesMax && NextSender() != tunnels_.end();
}

void TunnelMux::Pump() {
  while (!paced_ && Ready()) SendNext();
}

void TunnelMux::SendNext() {
  const Iterator it = NextSender();
  turn_ = it->first;
  SendOne(it);
}

TunnelMux::Iterator TunnelMux::NextSender() {
  auto it = tunnels_.upper_bound(turn_);
  for (size_t i = 0; i < tunnels_.size(); ++i, ++it) {
    if (it == tunnels_.end()) it = tunnels_.begin();
    if (!it->second.queue.empty() && it->second.send_credit > 0) return it;
  }
  return tunnels_.end();
}

void TunnelMux::SendOne(Iterator it) {
  Tunnel& tunnel = it->second;
  std::string& front = tunnel.queue.front();
  const size_t bytes_max = paced_ ? kChunkBytesMax : kTunnelDataBytesMax;
  const size_t bytes = std::min<size_t>(
      {front.size() - tunnel.offset, bytes_max, static_cast<size_t>(tunnel.send_credit)});
  const bool all = tunnel.offset + bytes == front.size();
  TunnelData frame{
      it->first, all && tunnel.offset == 0 ? std::move(front) : front.substr(tunnel.offset, bytes)};
  tunnel.send_credit -= bytes;
  tunnel.offset += bytes;
  unsent_bytes_ += bytes;
  output_.push_back(std::move(frame));
  if (!all) return;
  tunnel.queue.pop_front();
  tunnel.offset = 0;
  ToUser(it->first, tunnel::Taken{});
  HalfCloseIfDone(it);
}

void TunnelMux::HalfCloseIfDone(Iterator it) {
  Tunnel& tunnel = it->second;
  if (!tunnel.accepted || !tunnel.half_closed || !tunnel.queue.empty()) return;
  if (std::exchange(tunnel.half_close_sent, true)) return;
  output_.push_back(TunnelClose{it->first, true, absl::OkStatus()});
  EndIfBothClosed(it);
}

void TunnelMux::EndIfBothClosed(Iterator it) {
  if (!it->second.half_close_sent || !it->second.peer_half_closed) return;
  ToUser(it->first, tunnel::End{absl::OkStatus()});
  tunnels_.erase(it);
}

// ---- from the peer ----

absl::StatusOr<TunnelMux::Iterator> TunnelMux::Find(uint64_t id) {
  // Up to the last id, its end was under way (link-8.6).
  if (id <= last_id_) return tunnels_.find(id);
  return Violation("link-8.1", absl::StrCat("tunnel ", id, " was never opened"));
}

absl::StatusOr<TunnelMux::Iterator> TunnelMux::FindAccepted(uint64_t id) {
  SKERRY_ASSIGN_OR_RETURN(const Iterator it, Find(id));
  if (it == tunnels_.end() || it->second.accepted) return it;
  return Violation("link-8.2", absl::StrCat("tunnel ", id, " is not accepted yet"));
}

absl::StatusOr<bool> TunnelMux::Receive(const TunnelAccept& frame) {
  SKERRY_ASSIGN_OR_RETURN(const Iterator it, Find(frame.id));
  if (it == tunnels_.end()) return false;
  if (std::exchange(it->second.accepted, true)) {
    return Violation("link-8.2", absl::StrCat("tunnel ", frame.id, " was accepted before"));
  }
  ToUser(frame.id, tunnel::Opened{});
  it->second.send_credit = frame.credit;
  HalfCloseIfDone(it);
  Pump();
  return true;
}

absl::StatusOr<bool> TunnelMux::Receive(TunnelData frame) {
  SKERRY_ASSIGN_OR_RETURN(const Iterator it, FindAccepted(frame.id));
  if (it == tunnels_.end()) return false;
  Tunnel& tunnel = it->second;
  if (tunnel.peer_half_closed) {
    return Violation("link-8.5",
                     absl::StrCat("data of tunnel ", frame.id, " after its half close"));
  }
  if (frame.bytes.size() > tunnel.receive_credit) {
    return Violation("link-8.3", absl::StrCat(frame.bytes.size(), " bytes of tunnel ", frame.id,
                                              ", ", tunnel.receive_credit, " were allowed"));
  }
  tunnel.receive_credit -= frame.bytes.size();
  ToUser(frame.id, tunnel::Bytes{std::move(frame.bytes)});
  return true;
}

absl::StatusOr<bool> TunnelMux::Receive(const TunnelCredit& frame) {
  SKERRY_ASSIGN_OR_RETURN(const Iterator it, FindAccepted(frame.id));
  if (it == tunnels_.end()) return false;
  Tunnel& tunnel = it->second;
  if (tunnel.send_credit + frame.bytes > kTunnelCreditBytesMax) {
    return Violation("link-8.4", absl::StrCat("credit of tunnel ", frame.id, " beyond ",
                                              kTunnelCreditBytesMax, " bytes"));
  }
  tunnel.send_credit += frame.bytes;
  Pump();
  return true;
}

absl::StatusOr<bool> TunnelMux::Receive(TunnelClose frame) {
  // Its end may come before it is accepted, a half close not.
  SKERRY_ASSIGN_OR_RETURN(const Iterator it,
                          frame.half_close ? FindAccepted(frame.id) : Find(frame.id));
  if (it == tunnels_.end()) return false;
  if (!frame.half_close) {
    ToUser(frame.id, tunnel::End{std::move(frame.status)});
    tunnels_.erase(it);
    return true;
  }
  if (std::exchange(it->second.peer_half_closed, true)) {
    return Violation("link-8.5", absl::StrCat("a second half close of tunnel ", frame.id));
  }
  ToUser(frame.id, tunnel::HalfClose{});
  EndIfBothClosed(it);
  return true;
}

void TunnelMux::EndAll(const absl::Status& status) {
  for (const auto& [id, tunnel] : tunnels_) ToUser(id, tunnel::End{status});
  tunnels_.clear();
  last_id_ = 0;
  turn_ = 0;
  unsent_bytes_ = 0;
}

}  // namespace skerry::link
