#include "services/edge-controller-svc/gateway/kubelet_gateway.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/tunnel_service.grpc.pb.h"
#include "services/edge-controller-svc/core/kubelet_path.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/link/tunnel_client.h"
#include "services/lib/pipe/pipe.h"

namespace skerry::edgecontroller {
namespace {

namespace v1 = skerry::cloudhub::v1;
using Tunnel = link::TunnelClient<v1::OpenTunnelResponse, v1::OpenTunnelRequest>;

void Refuse(http::Responder& responder, int status, absl::string_view text) {
  responder.Send({.status = status,
                  .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                  .body = std::string(text)});
}

// The request as it came, for the node. Headers that speak of the connection stay: they are what an
// upgrade is asked by.
std::string Render(const http::Request& request) {
  std::string text = absl::StrCat(request.method, " ", request.target, " HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers) {
    if (name == "transfer-encoding" || name == "content-length" || name == "authorization")
      continue;
    absl::StrAppend(&text, name, ": ", value, "\r\n");
  }
  return absl::StrCat(text, "content-length: ", request.body.size(), "\r\n\r\n", request.body);
}

// Writes in pieces that a tunnel takes, then calls `then`.
void WriteAll(std::shared_ptr<pipe::ByteStream> to, std::string bytes,
              absl::AnyInvocable<void(absl::Status)> then) {
  std::string piece = bytes.substr(0, pipe::ByteStream::kChunkBytesMax);
  pipe::ByteStream& stream = *to;
  stream.Write(std::move(piece),
               [to = std::move(to),
                rest = bytes.substr(std::min(bytes.size(), pipe::ByteStream::kChunkBytesMax)),
                then = std::move(then)](absl::Status status) mutable {
                 if (!status.ok() || rest.empty()) return then(std::move(status));
                 WriteAll(std::move(to), std::move(rest), std::move(then));
               });
}

}  // namespace

KubeletGateway::KubeletGateway(const Options& options, FindRoute find_route,
                               EdgeControllerMetrics& metrics, log::Logger log)
    : client_names_(options.client_names),
      find_route_(std::move(find_route)),
      metrics_(metrics),
      log_(std::move(log)) {}

absl::StatusOr<std::unique_ptr<KubeletGateway>> KubeletGateway::Create(
    const Options& options, FindRoute find_route, EdgeControllerMetrics& metrics, log::Logger log) {
  std::unique_ptr<KubeletGateway> gateway(
      new KubeletGateway(options, std::move(find_route), metrics, log));
  http::ServerOptions server;
  server.listen = options.listen;
  server.cert_file = options.cert_file;
  server.key_file = options.key_file;
  server.client_ca_file = options.client_ca_file;
  server.client_certificates = http::ClientCertificates::kRequired;
  server.workers = 2;
  server.body_bytes_max = 64u << 10;  // These requests have none.
  server.registry = options.registry;
  server.on_background_error = [log](const absl::Status& status) {
    log.Error("trouble of the kubelet endpoint", status);
  };
  SKERRY_ASSIGN_OR_RETURN(
      gateway->server_,
      http::Server::Create(server, [g = gateway.get()](http::Request request,
                                                       std::shared_ptr<http::Responder> responder) {
        g->Handle(request, std::move(responder));
      }));
  return gateway;
}

KubeletGateway::~KubeletGateway() {
  if (server_ != nullptr) server_->Shutdown(absl::InfinitePast());
  tunnels_.Stop();
}

void KubeletGateway::Handle(const http::Request& request,
                            std::shared_ptr<http::Responder> responder) {
  const std::string caller = request.client.has_value() ? request.client->common_name : "";
  if (std::find(client_names_.begin(), client_names_.end(), caller) == client_names_.end()) {
    metrics_.Stream("refused").Increment();
    log_.Warning("kubelet request of a client that is not the API server",
                 {{"client", caller}, {"remote", request.remote}});
    return Refuse(*responder, 403, absl::StrCat("Forbidden (user=", caller, ")"));
  }
  if (request.path == "/healthz") return Refuse(*responder, 200, "ok");
  const std::optional<std::string> pod = PodOfKubeletPath(request.path);
  if (!pod.has_value()) return Refuse(*responder, 404, "404 page not found\n");
  absl::StatusOr<Route> route = find_route_(*pod);
  if (!route.ok()) {
    metrics_.Stream("no_route").Increment();
    const int status = absl::IsNotFound(route.status())                       ? 404
                       : GetErrorInfo(route.status()).reason == "NOT_LEADING" ? 503
                                                                              : 502;
    return Refuse(*responder, status, route.status().message());
  }
  Open(*route, request, std::move(responder));
}

void KubeletGateway::Open(const Route& route, const http::Request& request,
                          std::shared_ptr<http::Responder> responder) {
  if (!tunnels_.Begin()) return Refuse(*responder, 503, "the kubelet endpoint is stopping");
  v1::OpenTunnelRequest first;
  first.mutable_open()->set_node(route.node);
  first.mutable_open()->set_type("kubelet");
  auto stub = v1::TunnelService::NewStub(route.hub);
  metrics_.streams.Increment();
  std::shared_ptr<pipe::ByteStream> tunnel = Tunnel::Dial(
      [&](auto* context, auto* reactor) { stub->async()->OpenTunnel(context, reactor); },
      std::move(first),
      [this] {
        metrics_.streams.Decrement();
        tunnels_.Ended();
      });
  tunnels_.Add(tunnel);
  // The node's first bytes decide: without them there is an error to tell.
  tunnel->Read([this, tunnel, responder](absl::StatusOr<std::string> bytes) {
    if (!bytes.ok() || bytes->empty()) {
      metrics_.Stream("failed").Increment();
      Refuse(*responder, 502,
             bytes.ok() ? "the node ended the stream without an answer" : bytes.status().message());
      return tunnel->Close(bytes.status());
    }
    metrics_.Stream("opened").Increment();
    std::shared_ptr<pipe::ByteStream> client = responder->TakeConnection();
    client->Write(*std::move(bytes), [client, tunnel](absl::Status status) {
      if (!status.ok()) {
        client->Close(status);
        return tunnel->Close(std::move(status));
      }
      pipe::Join(client, tunnel, [](absl::Status) {});
    });
  });
  WriteAll(tunnel, Render(request), [](absl::Status) {});
}

}  // namespace skerry::edgecontroller
