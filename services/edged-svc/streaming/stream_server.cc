#include "services/edged-svc/streaming/stream_server.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/streaming/connection_watch.h"
#include "services/edged-svc/streaming/open_streams.h"
#include "services/edged-svc/streaming/port_forward.h"
#include "services/edged-svc/streaming/remote_command.h"
#include "services/edged-svc/streaming/remote_streams.h"
#include "services/edged-svc/streaming/spdy_session.h"
#include "services/edged-svc/streaming/stream_metrics.h"
#include "services/edged-svc/streaming/stream_tokens.h"
#include "services/edged-svc/streaming/upgrade.h"
#include "services/edged-svc/streaming/websocket_session.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/server.h"

namespace skerry::edged {
namespace {

using Raw = std::shared_ptr<pipe::ByteStream>;
using Kind = StreamRequest::Kind;

// To tell clients of the end.
constexpr absl::Duration kLeaveTime = absl::Seconds(1);

// v4.channel.k8s.io's numbers.
enum RemoteChannel : size_t { kStdin, kStdout, kStderr, kError, kResize, kRemoteChannels };

void Answer(http::Responder& responder, int status, absl::string_view text) {
  responder.Send({.status = status,
                  .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                  .body = std::string(text)});
}

}  // namespace

class StreamServer::Impl {
 public:
  Impl(const StreamServerOptions& options, Deps deps)
      : options_(options),
        deps_(std::move(deps)),
        tokens_(options.waiting_max, options.token_age_max),
        open_(std::make_shared<OpenStreams>(options.open_max)),
        timers_("stream-timers", deps_.clock),
        pool_("streams", options.workers, options.open_max) {
    if (deps_.registry != nullptr) metrics_.emplace(*deps_.registry);
  }

  ~Impl() {
    open_->Stop(deps_.clock, kLeaveTime);
    if (server_ != nullptr) server_->Shutdown(absl::Now());
    pool_.Stop();
    timers_.Stop();
    server_.reset();
  }

  absl::Status Listen() {
    absl::StatusOr<std::unique_ptr<http::Server>> server = http::Server::Create(
        {.listen = options_.listen,
         .body_bytes_max = 0,
         .connections_max = options_.open_max + options_.waiting_max,
         .workers = 2,
         .queue_max = options_.waiting_max},
        [this](http::Request request, std::shared_ptr<http::Responder> responder) {
          Handle(request, *responder);
        });
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Add(StreamRequest request) {
    const Kind kind = request.kind;
    absl::StatusOr<std::string> token = tokens_.Add(std::move(request), deps_.clock.Monotonic());
    if (!token.ok()) {
      Refused("waiting");
      return token.status();
    }
    return absl::StrCat("http://", server_->address(), "/", StreamKindName(kind), "/", *token);
  }

 private:
  using Place = std::shared_ptr<OpenStreams::Place>;

  struct Conversation {
    StreamRequest request;
    Upgrade upgrade;
    Raw raw;
    Place place;
  };

  void Refused(absl::string_view why) {
    if (metrics_.has_value()) metrics_->Refused(why);
  }

  void Handle(const http::Request& request, http::Responder& responder) {
    const std::vector<std::string> path = absl::StrSplit(request.path, '/');  // "", kind, token.
    std::optional<StreamRequest> stream;
    if (path.size() == 3) stream = tokens_.Take(path[2], deps_.clock.Monotonic());
    if (!stream.has_value() || path[1] != StreamKindName(stream->kind)) {
      Refused("token");
      return Answer(responder, 404, "there is no such stream, or no longer\n");
    }
    absl::StatusOr<Upgrade> upgrade = NegotiateUpgrade(stream->kind, request.headers);
    if (!upgrade.ok()) {
      Refused("upgrade");
      return Answer(responder, absl::IsPermissionDenied(upgrade.status()) ? 403 : 400,
                    absl::StrCat(upgrade.status().message(), "\n"));
    }
    Place place = open_->Enter();
    if (place == nullptr) {
      Refused("open");
      return Answer(responder, 503,
                    absl::StrCat("the node serves ", options_.open_max,
                                 " streams already; try again later\n"));
    }
    Raw raw = responder.TakeConnection();
    if (raw == nullptr) return;
    std::string answer = upgrade->answer;
    auto conversation = std::make_shared<Conversation>(
        Conversation{*std::move(stream), *std::move(upgrade), std::move(raw), std::move(place)});
    conversation->raw->Write(std::move(answer), [this, conversation](absl::Status written) {
      if (!written.ok()) return conversation->raw->Close(std::move(written));
      Begin(*conversation);
    });
  }

  // While the conversation's place is held, this object lives.
  void Begin(Conversation& c) {
    const bool ports = c.request.kind == Kind::kPortForward;
    switch (c.upgrade.transport) {
      case Upgrade::Transport::kSpdy:
        return BeginSpdy(c, c.raw);
      case Upgrade::Transport::kWebSocketTunnel: {
        auto tunnel = std::make_shared<WebSocketSession>(
            c.raw, WebSocketSession::Shape{.framing = WebSocketSession::Framing::kBytes});
        tunnel->strand().Run([tunnel] { tunnel->Start(); });
        return BeginSpdy(c, MakeWebSocketStream(tunnel));
      }
      case Upgrade::Transport::kWebSocket:
        break;
    }
    const size_t channels = ports ? 2 * c.request.ports.size() : kRemoteChannels;
    auto session = std::make_shared<WebSocketSession>(
        c.raw, WebSocketSession::Shape{.channels = channels, .peer_closes = c.upgrade.peer_closes});
    session->strand().Run([this, session, c = std::move(c), ports] {
      const auto watch = NewWatch(session);
      watch->Ready();
      if (ports) {
        auto forward = NewForward(c, session);
        Watch(c, *watch, session, [forward] { forward->ConnectionEnded(); });
        forward->StartChannels(*session);
      } else {
        RemoteChannels streams = ChannelsOf(c, *session);
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

  void BeginSpdy(Conversation& c, Raw raw) {
    auto session = std::make_shared<SpdySession>(std::move(raw));
    session->strand().Run([this, session, c = std::move(c)] {
      const auto watch = NewWatch(session);
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
            c.request, c.upgrade.resizes,
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

  std::shared_ptr<ConnectionWatch> NewWatch(const std::shared_ptr<StreamConnection>& session) {
    return std::make_shared<ConnectionWatch>(
        timers_,
        ConnectionWatch::Times{.creation = options_.creation_timeout,
                               .idle = options_.idle_timeout},
        session);
  }

  void Watch(const Conversation& c, ConnectionWatch& watch,
             const std::shared_ptr<StreamConnection>& session, std::function<void()> ended) {
    const Kind kind = c.request.kind;
    if (metrics_.has_value()) metrics_->Opened(kind);
    watch.Start({.ended =
                     [this, kind, ended = std::move(ended)](absl::Status status) {
                       ended();
                       if (metrics_.has_value()) metrics_->Ended(status.ok() ? "ok" : "error");
                       if (status.ok()) return;
                       deps_.log.Debug("stream cut", {{"kind", StreamKindName(kind)},
                                                      {"error", std::string(status.message())}});
                     },
                 .closed =
                     [this, place = c.place] {
                       if (metrics_.has_value()) metrics_->Closed();
                     }});
    c.place->Put(session);
  }

  std::shared_ptr<PortForward> NewForward(const Conversation& c,
                                          std::shared_ptr<StreamConnection> session) {
    return std::make_shared<PortForward>(
        PortForward::Deps{deps_.backend, timers_, options_.creation_timeout}, c.request,
        std::move(session));
  }

  std::shared_ptr<RemoteCommand> NewCommand(const Conversation& c,
                                            std::shared_ptr<StreamConnection> session,
                                            RemoteChannels channels) {
    return std::make_shared<RemoteCommand>(RemoteCommand::Deps{deps_.backend, pool_}, c.request,
                                           c.upgrade.status, std::move(session),
                                           std::move(channels));
  }

  static void StartCommand(StreamConnection& session,
                           const std::shared_ptr<RemoteCommand>& command) {
    session.OnLeave([command](absl::Status why) { command->Leave(why); });
    command->Start();
  }

  static RemoteChannels ChannelsOf(const Conversation& c, const WebSocketSession& session) {
    const StreamRequest& request = c.request;
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

  const StreamServerOptions options_;
  const Deps deps_;
  StreamTokens tokens_;
  const std::shared_ptr<OpenStreams> open_;
  std::optional<StreamMetrics> metrics_;
  exec::SerialExecutor timers_;
  exec::ThreadPool pool_;
  std::unique_ptr<http::Server> server_;
};

StreamServer::StreamServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamServer::~StreamServer() = default;

absl::StatusOr<std::unique_ptr<StreamServer>> StreamServer::Create(
    const StreamServerOptions& options, Deps deps) {
  auto impl = std::make_unique<Impl>(options, std::move(deps));
  if (absl::Status listens = impl->Listen(); !listens.ok()) return listens;
  return std::unique_ptr<StreamServer>(new StreamServer(std::move(impl)));
}

absl::StatusOr<std::string> StreamServer::Add(StreamRequest request) {
  return impl_->Add(std::move(request));
}

}  // namespace skerry::edged
