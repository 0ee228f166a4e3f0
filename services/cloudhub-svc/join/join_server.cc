#include "services/cloudhub-svc/join/join_server.h"

#include <utility>

#include "absl/time/clock.h"
#include "services/cloudhub-svc/join/join_handler.h"
#include "services/cloudhub-svc/join/join_metrics.h"
#include "services/cloudhub-svc/join/renewal_handler.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/server.h"
#include "services/lib/metrics/registry.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::Duration kUpkeepInterval = absl::Hours(1);
constexpr absl::Duration kRememberExpired =
    absl::Hours(24 * 30);  // So that lists and errors can still tell.
constexpr size_t kBodyBytesMax = 32 << 10;

}  // namespace

struct JoinServer::Impl {
  Impl(const JoinHandlerOptions& joining, const RenewalOptions& renewing, const HubPki& pki,
       TokenStore& token_store, NodeRegistry& nodes, metrics::Registry& registry,
       Clock& system_clock, const log::Logger& logger)
      : tokens(token_store),
        clock(system_clock),
        log(logger),
        metrics(registry),
        renewals(renewing, pki.ca(), nodes, metrics, system_clock, logger),
        handler(joining, pki.ca(), token_store, renewals, metrics, system_clock, logger),
        upkeep("join-upkeep", system_clock) {}

  void KeepUp() {
    absl::Status status = tokens.Prune(clock.Now() - kRememberExpired);
    if (!status.ok()) log.Warning("forgetting expired tokens failed", status);
    upkeep.PostAfter(kUpkeepInterval, [this] { KeepUp(); });
  }

  TokenStore& tokens;
  Clock& clock;
  const log::Logger log;
  JoinMetrics metrics;
  RenewalHandler renewals;
  JoinHandler handler;
  std::unique_ptr<http::Server> server;
  exec::SerialExecutor upkeep;
};

JoinServer::JoinServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

JoinServer::~JoinServer() { Shutdown(absl::Now()); }

absl::StatusOr<std::unique_ptr<JoinServer>> JoinServer::Create(
    const JoinServerOptions& options, const HubPki& pki, TokenStore& tokens, NodeRegistry& nodes,
    metrics::Registry& registry, Clock& clock, const log::Logger& log) {
  size_t colon = options.link_bound_address.rfind(':');
  JoinHandlerOptions handling = {.link_address = options.link_address,
                                 .link_port = colon == std::string::npos
                                                  ? "10000"
                                                  : options.link_bound_address.substr(colon + 1),
                                 .node_certificate_lifetime = options.node_certificate_lifetime};
  const RenewalOptions renewing = {.certificate_lifetime = options.node_certificate_lifetime,
                                   .expired_grace = options.expired_grace};
  auto impl = std::make_unique<Impl>(handling, renewing, pki, tokens, nodes, registry, clock, log);
  http::ServerOptions serving;
  serving.listen = options.listen;
  serving.cert_file = pki.server_files().cert;
  serving.key_file = pki.server_files().key;
  // Boxes that join have none; nodes that renew theirs prove it, also for a while after its end.
  serving.client_ca_file = pki.server_files().ca;
  serving.client_certificates = http::ClientCertificates::kOptional;
  serving.accept_expired_clients = true;
  serving.body_bytes_max = kBodyBytesMax;
  serving.connections_max = 512;
  serving.workers = 2;
  serving.queue_max = 256;
  serving.idle_timeout = absl::Seconds(15);
  serving.registry = &registry;
  SKERRY_ASSIGN_OR_RETURN(
      impl->server, http::Server::Create(
                        serving, [impl = impl.get()](http::Request request,
                                                     std::shared_ptr<http::Responder> responder) {
                          responder->Send(impl->handler.Handle(request));
                        }));
  impl->upkeep.PostAfter(kUpkeepInterval, [impl = impl.get()] { impl->KeepUp(); });
  return std::unique_ptr<JoinServer>(new JoinServer(std::move(impl)));
}

std::string JoinServer::address() const { return impl_->server->address(); }

void JoinServer::Shutdown(absl::Time deadline) {
  impl_->server->Shutdown(deadline);
  impl_->upkeep.Stop();
}

}  // namespace skerry::cloudhub
