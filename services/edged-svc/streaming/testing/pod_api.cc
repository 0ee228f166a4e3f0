#include "services/edged-svc/streaming/testing/pod_api.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/pipe/pipe.h"

namespace skerry::edged {
namespace {

constexpr char kPodPath[] = "/api/v1/namespaces/default/pods/p";

constexpr char kResources[] =
    R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[
{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list"]},
{"name":"pods/exec","singularName":"","namespaced":true,"kind":"PodExecOptions","verbs":["create","get"]},
{"name":"pods/attach","singularName":"","namespaced":true,"kind":"PodAttachOptions","verbs":["create","get"]},
{"name":"pods/portforward","singularName":"","namespaced":true,"kind":"PodPortForwardOptions",
"verbs":["create","get"]}]})";

constexpr char kPod[] = R"({"kind":"Pod","apiVersion":"v1",
"metadata":{"name":"p","namespace":"default","uid":"u"},
"spec":{"containers":[{"name":"main","image":"i","stdin":true,"ports":[{"containerPort":80}]}]},
"status":{"phase":"Running"}})";

StreamRequest RequestOf(const http::Request& request) {
  StreamRequest stream;
  const absl::string_view kind = absl::string_view(request.path).substr(sizeof(kPodPath));
  stream.id = "c1";
  stream.kind = kind == "exec"     ? StreamRequest::Kind::kExec
                : kind == "attach" ? StreamRequest::Kind::kAttach
                                   : StreamRequest::Kind::kPortForward;
  const auto asked = [&](const char* name) {
    const std::string value = request.Query(name).value_or("");
    return value == "true" || value == "1";
  };
  stream.tty = asked("tty");
  stream.in = asked("stdin");
  stream.out = asked("stdout");
  stream.err = asked("stderr") && !stream.tty;
  for (const auto& [name, value] : request.query) {
    int32_t port = 0;
    if (name == "command") stream.command.push_back(value);
    if (name == "ports" && absl::SimpleAtoi(value, &port)) stream.ports.push_back(port);
  }
  return stream;
}

void Send(http::Responder& responder, int status, std::string body) {
  responder.Send({.status = status,
                  .headers = {{"Content-Type", "application/json"}},
                  .body = std::move(body)});
}

}  // namespace

absl::StatusOr<std::unique_ptr<PodApi>> PodApi::Create(StreamServer& streams) {
  auto api = std::unique_ptr<PodApi>(new PodApi(streams));
  auto server = http::Server::Create(
      {}, [api = api.get()](http::Request request, std::shared_ptr<http::Responder> responder) {
        api->Handle(request, std::move(responder));
      });
  if (!server.ok()) return server.status();
  api->server_ = *std::move(server);
  return api;
}

PodApi::~PodApi() { server_.reset(); }

void PodApi::Handle(const http::Request& request, std::shared_ptr<http::Responder> responder) {
  if (absl::StartsWith(request.path, absl::StrCat(kPodPath, "/")))
    return Forward(request, std::move(responder));
  if (request.path == kPodPath) return Send(*responder, 200, kPod);
  if (request.path == "/api")
    return Send(*responder, 200, R"({"kind":"APIVersions","versions":["v1"]})");
  if (request.path == "/apis")
    return Send(*responder, 200, R"({"kind":"APIGroupList","apiVersion":"v1","groups":[]})");
  if (request.path == "/api/v1") return Send(*responder, 200, kResources);
  Send(*responder, 404,
       R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404})");
}

void PodApi::Forward(const http::Request& request, std::shared_ptr<http::Responder> responder) {
  const absl::StatusOr<std::string> url = streams_.Add(RequestOf(request));
  if (!url.ok()) return Send(*responder, 500, std::string(url.status().message()));
  const std::vector<std::string> parts =
      absl::StrSplit(*url, absl::MaxSplits('/', 3));  // "http:", "", address, target.
  const std::vector<std::string> address = absl::StrSplit(parts[2], ':');
  uint32_t port = 0;
  if (!absl::SimpleAtoi(address[1], &port)) return Send(*responder, 500, *url);
  std::string head = absl::StrCat(request.method, " /", parts[3], " HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers)
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  head += "\r\n";
  connector_.Connect({.host = address[0], .port = static_cast<uint16_t>(port)}, absl::Seconds(10),
                     [responder, head](absl::StatusOr<std::shared_ptr<pipe::ByteStream>> to) {
                       if (!to.ok())
                         return Send(*responder, 502, std::string(to.status().message()));
                       const std::shared_ptr<pipe::ByteStream> server = *to,
                                                               client = responder->TakeConnection();
                       server->Write(head, [server, client](absl::Status status) {
                         if (!status.ok()) return client->Close(status);
                         pipe::Join(client, server, [](absl::Status) {});
                       });
                     });
}

}  // namespace skerry::edged
