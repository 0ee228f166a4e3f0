#include "services/edgehub-svc/app.h"

#include <grpcpp/impl/service_type.h>

#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/edgehub-svc/adapters/grpc_dialer.h"
#include "services/edgehub-svc/adapters/https_renewal_client.h"
#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/edgehub-svc/metrics.h"
#include "services/edgehub-svc/renewal/certificate_renewer.h"
#include "services/edgehub-svc/renewal/node_identity.h"
#include "services/edgehub-svc/service/spoke_service.h"
#include "services/edgehub-svc/service/status_service.h"
#include "services/edgehub-svc/service/tunnel_service.h"
#include "services/edgehub-svc/store/sqlite_command_store.h"
#include "services/edgehub-svc/store/sqlite_event_store.h"
#include "services/edgehub-svc/store/sqlite_journal.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/https_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/server.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edgehub {
namespace {

constexpr size_t kStatusQueue = 16;

uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

// 128 random bits as text: new for every boot and every journal.
std::string RandomId() { return absl::StrFormat("%016x%016x", RandomSeed(), RandomSeed()); }

}  // namespace

// In start order: each uses those above it.
struct EdgeHubApp::Parts {
  Parts() : registry("edgehub-svc"), metrics(registry) {}

  metrics::Registry registry;
  EdgeHubMetrics metrics;
  std::unique_ptr<metrics::OpsServer> ops;
  std::string node;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<SqliteEventStore> events;
  std::unique_ptr<SqliteCommandStore> commands;
  std::unique_ptr<GrpcDialer> dialer;
  http::BeastHttpsClient https;
  std::unique_ptr<HttpsRenewalClient> renewal_client;
  std::unique_ptr<CertificateRenewer> renewer;
  std::unique_ptr<EdgeHub> hub;
  std::unique_ptr<exec::ThreadPool> status_pool;
  std::unique_ptr<grpc::Service> spoke_service;
  std::unique_ptr<grpc::Service> tunnel_service;
  std::unique_ptr<grpc::Service> status_service;
  std::unique_ptr<rpc::Server> server;
};

EdgeHubApp::EdgeHubApp(EdgeHubConfig config, Clock& clock, log::Logger log)
    : config_(std::move(config)),
      clock_(clock),
      log_(std::move(log)),
      serving_(readiness_.Register("serving")) {}

EdgeHubApp::~EdgeHubApp() { Stop(); }

absl::Status EdgeHubApp::Start() {
  parts_ = std::make_unique<Parts>();
  SKERRY_ASSIGN_OR_RETURN(parts_->ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, parts_->registry,
                                                     [this] { return readiness_.WaitingFor(); }));
  SKERRY_RETURN_IF_ERROR(StartHub());
  SKERRY_RETURN_IF_ERROR(StartServer());
  parts_->hub->Start();
  parts_->renewer->Start();
  serving_->Set(true);
  return absl::OkStatus();
}

absl::Status EdgeHubApp::OpenStores() {
  Parts& p = *parts_;
  p.metrics.SetBounds({.journal_bytes = config_.journal_bytes_max,
                       .journal_type_bytes = config_.journal_type_bytes_max,
                       .event_stream_bytes = config_.event_stream_bytes_max,
                       .command_response_bytes = config_.command_response_bytes_max});
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  sqlite::Environment environment;
  environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("a store is damaged: this service ends, and its next start repairs it", status);
    process::RequestStop();
  };
  SKERRY_ASSIGN_OR_RETURN(p.journal,
                          SqliteJournal::Open(config_.state_dir + "/edgehub.db",
                                              {.size_bytes_max = config_.journal_bytes_max,
                                               .type_bytes_max = config_.journal_type_bytes_max,
                                               .age_max = config_.journal_age_max},
                                              RandomId(), clock_, environment));
  SKERRY_ASSIGN_OR_RETURN(
      p.events, SqliteEventStore::Open(config_.state_dir + "/events.db",
                                       {config_.event_stream_bytes_max, config_.event_age_max},
                                       RandomId(), clock_, environment));
  SKERRY_ASSIGN_OR_RETURN(
      p.commands,
      SqliteCommandStore::Open(config_.state_dir + "/commands.db",
                               {.outcome_retention = config_.command_outcome_retention,
                                .records_max = config_.command_records_max,
                                .response_bytes_max = config_.command_response_bytes_max},
                               clock_, environment));
  const auto tell = [&](const char* store, const std::optional<sqlite::Repair>& repair) {
    if (!repair.has_value()) return;
    p.metrics.StoreRepaired(store);
    log_.Error(
        "a store was damaged: it was set aside, and what could be read of it is in a new one",
        {{"store", store},
         {"path", repair->set_aside},
         {"rows", repair->rows},
         {"incomplete", absl::StrJoin(repair->incomplete, ", ")}});
  };
  tell("journal", p.journal->repair());
  tell("events", p.events->repair());
  tell("commands", p.commands->repair());
  return absl::OkStatus();
}

absl::Status EdgeHubApp::StartHub() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(NodeIdentity identity, ReadNodeIdentity(config_.tls_identity));
  p.node = identity.node.value();
  SKERRY_ASSIGN_OR_RETURN(
      std::shared_ptr<grpc::ChannelCredentials> credentials,
      security::MutualTlsClient(
          {.ca = config_.tls_ca, .cert = config_.tls_identity, .key = config_.tls_identity}));
  p.dialer = std::make_unique<GrpcDialer>(config_.cloud_address, config_.cloud_server_name,
                                          credentials, p.metrics);

  SKERRY_RETURN_IF_ERROR(OpenStores());
  p.renewal_client = std::make_unique<HttpsRenewalClient>(
      HttpsRenewalClient::Config{.address = config_.cloud_join_address.empty()
                                                ? JoinAddressOf(config_.cloud_address)
                                                : config_.cloud_join_address,
                                 .server_name = config_.cloud_server_name,
                                 .ca_file = config_.tls_ca},
      p.https);
  p.renewer = std::make_unique<CertificateRenewer>(
      CertificateRenewer::Config{
          .identity_file = config_.tls_identity, .ca_file = config_.tls_ca, .seed = RandomSeed()},
      *p.renewal_client, clock_, p.metrics, log_);

  EdgeHub::Config hub;
  hub.session.hello = {link::kProtocolVersion,    RandomId(),    p.journal->id(), BuildVersion(),
                       p.journal->stored_epoch(), p.events->id()};
  hub.session.compression = config_.compression;
  if (config_.link_bytes_per_second != 0) {
    hub.session.up_limit = {static_cast<uint64_t>(config_.link_bytes_per_second),
                            static_cast<uint64_t>(config_.link_burst_bytes)};
    hub.session.hello.down_limit = hub.session.up_limit;
  }
  hub.session.backoff_base = config_.backoff_min;
  hub.session.backoff_max = config_.backoff_max;
  hub.session.seed = RandomSeed();
  p.hub = std::make_unique<EdgeHub>(hub, *p.journal, *p.events, *p.commands, *p.dialer, clock_,
                                    p.metrics, log_);
  return absl::OkStatus();
}

absl::Status EdgeHubApp::StartServer() {
  Parts& p = *parts_;
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.run_dir, 0750));
  p.status_pool = std::make_unique<exec::ThreadPool>("status", 1, kStatusQueue);
  p.spoke_service = MakeSpokeService(*p.hub, p.node, log_);
  p.tunnel_service = MakeTunnelService(*p.hub);
  StatusFacts facts;
  facts.node = p.node;
  facts.cloud_address = config_.cloud_address;
  facts.journal_bytes_max = config_.journal_bytes_max;
  facts.certificate_expire_time = [path = config_.tls_identity] {
    absl::StatusOr<NodeIdentity> identity = ReadNodeIdentity(path);
    return identity.ok() ? identity->certificate.not_after : absl::UnixEpoch();
  };
  p.status_service = MakeStatusService(*p.hub, *p.status_pool, std::move(facts));

  rpc::ServerOptions options;
  options.listen = config_.listen.empty() ? absl::StrCat("unix:", config_.run_dir, "/edgehub.sock")
                                          : config_.listen;
  options.registry = &p.registry;
  SKERRY_ASSIGN_OR_RETURN(
      p.server, rpc::Server::Create(options, {p.spoke_service.get(), p.tunnel_service.get(),
                                              p.status_service.get()}));
  p.server->SetServing(true);
  return absl::OkStatus();
}

void EdgeHubApp::Drain(absl::Time deadline) {
  if (parts_ == nullptr) return;
  if (parts_->server != nullptr) parts_->server->SetServing(false);
  if (parts_->renewer != nullptr) parts_->renewer->Stop();
  if (parts_->hub != nullptr) parts_->hub->Stop();
  if (parts_->server != nullptr) parts_->server->Shutdown(deadline);
}

void EdgeHubApp::Stop() {
  if (parts_ == nullptr) return;
  serving_->Set(false);
  parts_->server.reset();
  if (parts_->status_pool != nullptr) parts_->status_pool->Stop();
  if (parts_->hub != nullptr) parts_->hub->Stop();
  parts_.reset();
}

std::map<std::string, std::string> EdgeHubApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_ == nullptr) return addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  if (parts_->server != nullptr) addresses["api"] = parts_->server->address();
  return addresses;
}

}  // namespace skerry::edgehub
