#include "services/edged-svc/streaming/stream_server.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/streaming/open_streams.h"
#include "services/edged-svc/streaming/stream_metrics.h"
#include "services/edged-svc/streaming/stream_sessions.h"
#include "services/edged-svc/streaming/stream_tokens.h"
#include "services/edged-svc/streaming/upgrade.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/server.h"

namespace skerry::edged {
namespace {

using Raw = std::shared_ptr<pipe::ByteStream>;
using Kind = StreamRequest::Kind;

// To tell clients of the end.
constexpr absl::Duration kLeaveTime = absl::Seconds(1);

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
        metrics_(deps_.registry == nullptr ? nullptr
                                           : std::make_unique<StreamMetrics>(*deps_.registry)),
        open_(std::make_shared<OpenStreams>(options.open_max)),
        timers_("stream-timers", deps_.clock),
        pool_("streams", options.workers, options.open_max),
        sessions_({deps_.backend, timers_, pool_, metrics_.get(), deps_.log},
                  {.creation = options.creation_timeout, .idle = options.idle_timeout}) {}

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
         .queue_max = options_.waiting_max,
         .taken_write_timeout = options_.write_timeout,
         .registry = deps_.registry},
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
  struct Conversation {
    StreamRequest request;
    Upgrade upgrade;
    Raw raw;
    StreamSessions::Place place;
  };

  void Refused(absl::string_view why) {
    if (metrics_ != nullptr) metrics_->Refused(why);
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
    StreamSessions::Place place = open_->Enter();
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
      Conversation& c = *conversation;
      sessions_.Begin(std::move(c.request), c.upgrade, std::move(c.raw), std::move(c.place));
    });
  }

  const StreamServerOptions options_;
  const Deps deps_;
  StreamTokens tokens_;
  const std::unique_ptr<StreamMetrics> metrics_;  // May be null.
  const std::shared_ptr<OpenStreams> open_;
  exec::SerialExecutor timers_;
  exec::ThreadPool pool_;
  StreamSessions sessions_;
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
