#include "services/edged-svc/kubelet/kubelet_server.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/edged-svc/core/log_options.h"
#include "services/edged-svc/kubelet/log_file.h"
#include "services/edged-svc/kubelet/log_source.h"
#include "services/edged-svc/kubelet/log_stream.h"
#include "services/edged-svc/kubelet/stream_request.h"
#include "services/lib/http/wire.h"
#include "services/lib/pipe/pipe.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

struct LocalUrl {
  std::string host;
  uint16_t port = 0;
  std::string target;
};

// "http://127.0.0.1:41235/exec/token".
std::optional<LocalUrl> ParseUrl(absl::string_view url) {
  if (!absl::ConsumePrefix(&url, "http://")) return std::nullopt;
  const size_t slash = url.find('/');
  const absl::string_view authority = url.substr(0, slash);
  const size_t colon = authority.rfind(':');
  uint32_t port = 0;
  if (slash == absl::string_view::npos || colon == absl::string_view::npos ||
      !absl::SimpleAtoi(authority.substr(colon + 1), &port) || port == 0 || port > 65535) {
    return std::nullopt;
  }
  absl::string_view host = authority.substr(0, colon);
  absl::ConsumePrefix(&host, "[");
  absl::ConsumeSuffix(&host, "]");
  return LocalUrl{std::string(host), static_cast<uint16_t>(port), std::string(url.substr(slash))};
}

}  // namespace

struct KubeletServer::Conversation {
  Client client;
  HeadReader head;
};

void KubeletServer::Serve(Client client) {
  auto conversation = std::make_shared<Conversation>();
  conversation->client = std::move(client);
  ReadHead(std::move(conversation));
}

void KubeletServer::ReadHead(std::shared_ptr<Conversation> conversation) {
  pipe::ByteStream& client = *conversation->client;
  client.Read([this, conversation = std::move(conversation)](absl::StatusOr<std::string> bytes) {
    if (!bytes.ok() || bytes->empty()) return conversation->client->Close(bytes.status());
    absl::StatusOr<std::optional<RequestHead>> head = conversation->head.Put(*bytes);
    if (!head.ok()) return Respond(conversation->client, 400, head.status().message());
    if (!head->has_value()) return ReadHead(conversation);
    const bool accepted = deps_.pool.TrySubmit(
        [this, client = conversation->client, head = **std::move(head),
         rest = conversation->head.rest()]() mutable { Handle(client, head, std::move(rest)); });
    if (!accepted) Respond(conversation->client, 503, "the node serves too many streams now");
  });
}

void KubeletServer::Handle(Client client, const RequestHead& head, std::string rest) {
  const std::vector<std::string> path =
      absl::StrSplit(absl::StripPrefix(head.path, "/"), '/', absl::AllowEmpty());
  if (head.path == "/healthz") return Respond(std::move(client), 200, "ok");
  if (path.size() == 4 && path[0] == "containerLogs")
    return ServeLogs(std::move(client), head, path);
  const bool in_container = path[0] == "exec" || path[0] == "attach";
  if ((in_container && (path.size() == 4 || path.size() == 5)) ||
      (path[0] == "portForward" && (path.size() == 3 || path.size() == 4))) {
    return ServeStream(std::move(client), head, path, std::move(rest));
  }
  Respond(std::move(client), 404, "404 page not found\n");
}

void KubeletServer::ServeLogs(Client client, const RequestHead& head,
                              const std::vector<std::string>& path) {
  absl::StatusOr<LogOptions> options = ParseLogOptions(head.query, deps_.clock.Now());
  if (!options.ok()) return Respond(std::move(client), 400, options.status().message());
  const std::string key = path[1] + "/" + path[2];
  const std::optional<PodManager::PodState> pod = find_pod_(key);
  absl::StatusOr<LogSource> source =
      pod.has_value() ? FindLog(*pod, path[3], options->previous)
                      : absl::NotFoundError(absl::StrCat("pod \"", path[2], "\" does not exist\n"));
  if (!source.ok()) {
    return Respond(std::move(client), absl::IsNotFound(source.status()) ? 404 : 400,
                   source.status().message());
  }
  const std::string file =
      absl::StrCat(deps_.folders.LogFolder(*pod->pod), "/", path[3], "/", source->restart, ".log");
  absl::StatusOr<std::unique_ptr<LogFile>> log = LogFile::Open(file, options->tail_lines);
  if (!log.ok()) {
    return Respond(std::move(client), absl::IsNotFound(log.status()) ? 404 : 500,
                   log.status().message());
  }
  auto ended = [this, key, uid = pod->pod->uid, id = source->container_id] {
    const std::optional<PodManager::PodState> now = find_pod_(key);
    return !now.has_value() || now->pod->uid != uid || !IsRunning(*now, id);
  };
  std::make_shared<LogStream>(std::move(client), *std::move(log), *options,
                              LogStream::Deps{deps_.pool, deps_.timers, std::move(ended)})
      ->Start();
}

void KubeletServer::ServeStream(Client client, const RequestHead& head,
                                const std::vector<std::string>& path, std::string rest) {
  const std::optional<PodManager::PodState> pod = find_pod_(path[1] + "/" + path[2]);
  if (!pod.has_value()) return Respond(std::move(client), 404, "pod does not exist");
  absl::StatusOr<StreamRequest> request = MakeStreamRequest(head, path, *pod);
  if (!request.ok()) {
    return Respond(std::move(client), absl::IsInvalidArgument(request.status()) ? 400 : 500,
                   request.status().message());
  }
  absl::StatusOr<std::string> url = deps_.runtime.OpenStream(*request);
  if (!url.ok()) return Respond(std::move(client), 500, url.status().message());
  Forward(std::move(client), head, *url, std::move(rest));
}

void KubeletServer::Forward(Client client, const RequestHead& head, const std::string& url,
                            std::string rest) {
  const std::optional<LocalUrl> to = ParseUrl(url);
  if (!to.has_value()) {
    return Respond(std::move(client), 500,
                   absl::StrCat("the container runtime names no HTTP address: ", url));
  }
  std::string request =
      RenderRequest(head, to->target, absl::StrCat(to->host, ":", to->port)) + rest;
  connector_.Connect({.host = to->host, .port = to->port}, kConnectTimeout,
                     [this, client = std::move(client), request = std::move(request)](
                         absl::StatusOr<std::shared_ptr<pipe::ByteStream>> runtime) mutable {
                       if (!runtime.ok())
                         return Respond(std::move(client), 500, runtime.status().message());
                       std::shared_ptr<pipe::ByteStream> stream = *std::move(runtime);
                       stream->Write(std::move(request), [client, stream](absl::Status status) {
                         if (!status.ok()) return client->Close(std::move(status));
                         pipe::Join(client, stream, [](absl::Status) {});
                       });
                     });
}

void KubeletServer::Respond(Client client, int status, absl::string_view text) {
  if (status >= 400) {
    deps_.log.Debug("kubelet request refused", {{"status", status}, {"error", std::string(text)}});
  }
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "text/plain; charset=utf-8"}};
  std::string answer = http::RenderHead(
      {.status = status, .headers = &headers, .content_length = text.size(), .keep_alive = false},
      deps_.clock.Now());
  absl::StrAppend(&answer, text);
  client->Write(std::move(answer),
                [client](absl::Status written) { client->Close(std::move(written)); });
}

}  // namespace skerry::edged
