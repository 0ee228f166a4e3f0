// The tunnels of a CloudSession.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/cloud_session.h"

namespace skerry::link {

void CloudSession::On(cloud::OpenTunnel event) {
  if (tunnels_.Full()) {
    return Emit(tunnel::ToUser{
        event.tunnel,
        tunnel::End{Error(absl::StatusCode::kResourceExhausted,
                          absl::StrCat("the node has ", kTunnelsMax,
                                       " tunnels already; end one or try again later"))
                        .Reason("TUNNELS_EXHAUSTED")}});
  }
  tunnels_.Add(event.tunnel, 0);
  Send(
      TunnelOpen{event.tunnel, std::move(event.type), std::move(event.target), kTunnelWindowBytes});
}

void CloudSession::On(tunnel::FromUser event) {
  tunnels_.On(std::move(event));
  FlushTunnels();
}

void CloudSession::Receive(TunnelAccept frame) { TunnelReceived(tunnels_.Receive(frame)); }
void CloudSession::Receive(TunnelData frame) { TunnelReceived(tunnels_.Receive(std::move(frame))); }
void CloudSession::Receive(TunnelCredit frame) { TunnelReceived(tunnels_.Receive(frame)); }
void CloudSession::Receive(TunnelClose frame) {
  TunnelReceived(tunnels_.Receive(std::move(frame)));
}

void CloudSession::TunnelReceived(absl::StatusOr<bool> current) {
  if (!current.ok()) return Fail(current.status());
  if (!*current) Count(cloud::Incident::kStaleTunnel);
  FlushTunnels();
}

void CloudSession::FlushTunnels() {
  EmitTunnels();
  if (tunnels_.paced()) Pump();
}

void CloudSession::EmitTunnels() {
  tunnels_.Flush([this](auto frame) { Send(std::move(frame)); },
                 [this](tunnel::ToUser message) { Emit(std::move(message)); });
  if (tunnels_.Waiting() && !std::exchange(draining_, true)) Emit(cloud::AwaitDrained{});
}

}  // namespace skerry::link
