#include "services/edged-svc/streaming/stream_sessions.h"

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "services/edged-svc/streaming/remote_streams.h"
#include "services/edged-svc/streaming/spdy_session.h"

namespace skerry::edged {
namespace {

using Kind = StreamRequest::Kind;

// v4.channel.k8s.io's numbers.
enum RemoteChannel : size_t { kStdin, kStdout, kStderr, kError, kResize, kRemoteChannels };

RemoteChannels ChannelsOf(const StreamRequest& request, const WebSocketSession& session) {
  RemoteChannels streams{.error = session.channel(kError)};
  if (request.in) streams.in = session.channel(kStdin);
  if (request.out) streams.out = session.channel(kStdout);
  if (request.err && !request.tty) streams.err = session.channel(kStderr);
  if (request.tty) streams.resize = session.channel(kResize);
  // What comes for others must not pile up.
  for (size_t i = 0; i < kRemoteChannels; ++i) {
    const auto channel = session.channel(i);
    if (channel != streams.in && channel != streams.resize) channel->Discard();
  }
  return streams;
}

void StartCommand(StreamConnection& session, const std::shared_ptr<RemoteCommand>& command) {
  session.OnLeave([command](const absl::Status& why) { command->Leave(why); });
  command->Start();
}

}  // namespace

void StreamSessions::Begin(StreamRequest request, const Upgrade& upgrade,
                           std::shared_ptr<pipe::ByteStream> raw, Place place) {
  const size_t channels =
      request.kind == Kind::kPortForward ? 2 * request.ports.size() : size_t{kRemoteChannels};
  Conversation c{std::move(request), upgrade.status, upgrade.resizes, std::move(place)};
  switch (upgrade.transport) {
    case Upgrade::Transport::kSpdy:
      return BeginSpdy(std::move(c), std::move(raw));
    case Upgrade::Transport::kWebSocket:
      return BeginWebSocket(
          std::move(c),
          std::make_shared<WebSocketSession>(
              std::move(raw),
              WebSocketSession::Shape{.channels = channels, .peer_closes = upgrade.peer_closes}));
    case Upgrade::Transport::kWebSocketTunnel:
      break;
  }
  auto tunnel = std::make_shared<WebSocketSession>(
      std::move(raw), WebSocketSession::Shape{.framing = WebSocketSession::Framing::kBytes});
  tunnel->strand().Run([tunnel] { tunnel->Start(); });
  BeginSpdy(std::move(c), MakeWebSocketStream(tunnel));
}

void StreamSessions::BeginWebSocket(Conversation c, std::shared_ptr<WebSocketSession> session) {
  session->strand().Run([this, session, c = std::move(c)] {
    const auto watch = NewWatch(session);
    watch->Ready();
    if (c.request.kind == Kind::kPortForward) {
      auto forward = NewForward(c, session);
      Watch(c, *watch, session, [forward] { forward->ConnectionEnded(); });
      forward->StartChannels(*session);
    } else {
      RemoteChannels streams = ChannelsOf(c.request, *session);
      // Says that the connection stands.
      const auto& first = streams.out != nullptr ? streams.out : streams.error;
      first->Write("", [](absl::Status) {});
      auto command = NewCommand(c, session, std::move(streams));
      Watch(c, *watch, session, [command] { command->ConnectionEnded(); });
      StartCommand(*session, command);
    }
    session->Start();
  });
}

void StreamSessions::BeginSpdy(Conversation c, std::shared_ptr<pipe::ByteStream> raw) {
  auto session = std::make_shared<SpdySession>(std::move(raw));
  session->strand().Run([this, session, c = std::move(c)] {
    const auto watch = NewWatch(session);
    session->OnStreamRefused([this] {
      if (deps_.metrics != nullptr) deps_.metrics->Refused("stream");
    });
    if (c.request.kind == Kind::kPortForward) {
      watch->Ready();
      auto forward = NewForward(c, session);
      Watch(c, *watch, session, [forward] { forward->ConnectionEnded(); });
      session->OnStreamOpened(
          [forward](std::shared_ptr<Channel> stream, const spdy::Headers& headers) {
            return forward->OnStream(std::move(stream), headers);
          });
    } else {
      // The command begins with its last stream.
      auto command = std::make_shared<std::shared_ptr<RemoteCommand>>();
      Watch(c, *watch, session, [command] {
        if (*command != nullptr) std::exchange(*command, nullptr)->ConnectionEnded();
      });
      auto streams = std::make_shared<RemoteStreams>(
          c.request, c.resizes,
          [this, c, command, watch,
           weak = std::weak_ptr<SpdySession>(session)](RemoteChannels channels) {
            const auto session = weak.lock();
            if (session == nullptr) return;
            watch->Ready();
            *command = NewCommand(c, session, std::move(channels));
            StartCommand(*session, *command);
          });
      session->OnStreamOpened(
          [streams](std::shared_ptr<Channel> stream, const spdy::Headers& headers) {
            return streams->OnStream(std::move(stream), headers);
          });
    }
    session->Start();
  });
}

void StreamSessions::Watch(const Conversation& c, ConnectionWatch& watch, const Session& session,
                           std::function<void()> ended) {
  const Kind kind = c.request.kind;
  if (deps_.metrics != nullptr) deps_.metrics->Opened(kind);
  watch.Start({.ended =
                   [this, kind, ended = std::move(ended)](absl::Status status) {
                     ended();
                     if (deps_.metrics != nullptr) deps_.metrics->Ended(status.ok());
                     if (status.ok()) return;
                     deps_.log.Debug("stream cut", {{"kind", StreamKindName(kind)},
                                                    {"error", std::string(status.message())}});
                   },
               .closed =
                   [this, place = c.place] {
                     if (deps_.metrics != nullptr) deps_.metrics->Closed();
                   }});
  c.place->Put(session);
}

std::shared_ptr<ConnectionWatch> StreamSessions::NewWatch(const Session& session) const {
  return std::make_shared<ConnectionWatch>(deps_.timers, times_, session);
}

std::shared_ptr<PortForward> StreamSessions::NewForward(const Conversation& c,
                                                        Session session) const {
  return std::make_shared<PortForward>(
      PortForward::Deps{deps_.backend, deps_.timers, times_.creation}, c.request,
      std::move(session));
}

std::shared_ptr<RemoteCommand> StreamSessions::NewCommand(const Conversation& c, Session session,
                                                          RemoteChannels channels) const {
  return std::make_shared<RemoteCommand>(RemoteCommand::Deps{deps_.backend, deps_.pool}, c.request,
                                         c.status, std::move(session), std::move(channels));
}

}  // namespace skerry::edged
