#include "services/cloudhub-svc/app.h"

#include <grpcpp/impl/service_type.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/join/hub_pki.h"
#include "services/cloudhub-svc/join/join_server.h"
#include "services/cloudhub-svc/join/node_gate.h"
#include "services/cloudhub-svc/join/node_watch.h"
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/cloudhub-svc/join/postgres_node_records.h"
#include "services/cloudhub-svc/join/postgres_token_store.h"
#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/cloudhub-svc/join/token_admin.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/cloudhub-svc/service/admin_service.h"
#include "services/cloudhub-svc/service/command_service.h"
#include "services/cloudhub-svc/service/link_service.h"
#include "services/cloudhub-svc/service/spoke_service.h"
#include "services/cloudhub-svc/service/tunnel_service.h"
#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/cloudhub-svc/store/command_watch.h"
#include "services/cloudhub-svc/store/postgres_command_store.h"
#include "services/cloudhub-svc/store/sqlite_command_store.h"
#include "services/lib/auth/bearer.h"
#include "services/lib/auth/token_reviews.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/link/frames.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/postgres/await_database.h"
#include "services/lib/postgres/pool.h"
#include "services/lib/rpc/listener.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/use_tls.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/renewal.h"
#include "services/lib/security/renewal_loop.h"
#include "services/lib/sqlite/failure_metrics.h"

namespace skerry::cloudhub {
namespace {

constexpr size_t kAdminThreads = 2;
constexpr size_t kAdminQueue = 64;
constexpr size_t kCommandThreads = 2;
constexpr size_t kCommandQueue = 256;
// A node calls when it has connected; what does not is a probe, or means no good.
constexpr absl::Duration kIdleMax = absl::Seconds(30);
// One stream of a controller carries the changes of all its nodes: what is for one node waits for
// as short as can be behind much that is for another.
constexpr int kControllerWindowBytes = 1 << 20;

// LinkService itself refuses who is no node: so it is counted, and its address is paced.
security::MethodPolicy LinkPolicy() {
  return security::MethodPolicy({
      {"/skerry.link.v1.LinkService/*", {"*"}},
      {"/grpc.health.v1.Health/*", {"*"}},
  });
}

security::MethodPolicy ApiPolicy() {
  return security::MethodPolicy({
      {"/skerry.cloudhub.v1.SpokeService/*", {"skerry:controllers"}},
      {"/skerry.cloudhub.v1.TunnelService/*", {"skerry:controllers"}},
      {"/skerry.cloudhub.v1.CommandService/*", {"skerry:controllers"}},
      {"/skerry.cloudhub.v1.AdminService/*", {"skerry:operators"}},
      {"/grpc.health.v1.Health/*", {"*"}},
      {"/grpc.reflection.v1alpha.ServerReflection/*", {"skerry:operators"}},
  });
}

HubPkiOptions PkiOptions(const CloudHubConfig& config) {
  return {.state_dir = config.state_dir,
          .ca_dir = config.ca_dir,
          .sans = config.tls_sans,
          .certificate_lifetime = config.certificate_lifetime,
          .write_clients = config.write_clients};
}

CommandQueueBounds QueueBounds(const CloudHubConfig& config) {
  return {.count_max = config.commands_node_max, .bytes_max = config.commands_node_bytes_max};
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "cloudhub";
}

}  // namespace

// In start order: each uses those above it.
struct CloudHubApp::Parts {
  explicit Parts(Clock& clock, const log::Logger& log)
      : registry("cloudhub-svc"), metrics(registry) {}

  metrics::Registry registry;
  CloudHubMetrics metrics;
  std::unique_ptr<metrics::OpsServer> ops;
  std::unique_ptr<postgres::Pool> database;  // Null with SQLite.
  std::unique_ptr<JoinStore> tokens;
  std::unique_ptr<NodeRecords> records;
  std::unique_ptr<HubPki> pki;
  std::unique_ptr<security::RenewalLoop> renewals;
  std::unique_ptr<TokenAdmin> token_admin;
  std::unique_ptr<NodeGate> gate;
  std::unique_ptr<CommandStore> commands;
  std::unique_ptr<SessionHub> hub;
  std::unique_ptr<NodeWatch> watch;             // Null with SQLite.
  std::unique_ptr<CommandWatch> command_watch;  // As that.
  std::unique_ptr<exec::ThreadPool> admin_pool;
  std::unique_ptr<exec::ThreadPool> command_pool;
  std::unique_ptr<rpc::Listener> link_listener;
  std::unique_ptr<grpc::Service> link_service;
  std::unique_ptr<grpc::Service> spoke_service;
  std::unique_ptr<grpc::Service> tunnel_service;
  std::unique_ptr<grpc::Service> command_service;
  std::unique_ptr<grpc::Service> admin_service;
  std::unique_ptr<auth::TokenReviews> callers_tokens;  // Null: certificates only.
  std::unique_ptr<rpc::Server> api_server;
  std::unique_ptr<rpc::Server> link_server;
  std::unique_ptr<JoinServer> join_server;
};

CloudHubApp::CloudHubApp(CloudHubConfig config, Clock& clock, log::Logger log)
    : config_(std::move(config)),
      clock_(clock),
      log_(std::move(log)),
      serving_(readiness_.Register("serving")),
      not_draining_(readiness_.Register("the end of a drain")) {
  not_draining_->Set(true);
}

CloudHubApp::~CloudHubApp() { Stop(); }

absl::Status CloudHubApp::Start() {
  parts_ = std::make_unique<Parts>(clock_, log_);
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [this] { return readiness_.WaitingFor(); }));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  SKERRY_RETURN_IF_ERROR(OpenStores());
  SKERRY_ASSIGN_OR_RETURN(security::RenewalReport certificates, p.pki->Renew());
  p.renewals = std::make_unique<security::RenewalLoop>(
      certificates, [&pki = *p.pki] { return pki.Renew(); }, clock_, p.registry, log_);
  p.token_admin = std::make_unique<TokenAdmin>(*p.tokens, p.pki->ca().hash(), clock_, log_);

  SessionHub::Config hub;
  hub.session.hub = config_.hub_name.empty() ? HostName() : config_.hub_name;
  hub.session.heartbeat_interval = config_.heartbeat_interval;
  hub.session.compression = config_.compression;
  hub.session.unsent_bytes_max = static_cast<size_t>(config_.unsent_bytes_max);
  hub.admission.syncs_max = static_cast<size_t>(config_.syncs_max);
  hub.admission.seed = absl::Uniform<uint64_t>(absl::BitGen());
  hub.shards = static_cast<int>(config_.session_threads);
  hub.connections_max = static_cast<int>(config_.connections_max);
  hub.commands.shared = p.database != nullptr;
  hub.commands.waiting_max = static_cast<size_t>(config_.commands_node_max);
  hub.commands.waiting_bytes_max = static_cast<size_t>(config_.commands_node_bytes_max);
  hub.commands.memory_bytes_max =
      static_cast<size_t>(config_.commands_memory_bytes_max / config_.session_threads);
  hub.commands.retention = config_.commands_retention;
  p.hub = std::make_unique<SessionHub>(hub, *p.records, *p.commands, clock_, p.metrics, log_);
  p.admin_pool = std::make_unique<exec::ThreadPool>("admin", kAdminThreads, kAdminQueue);
  SKERRY_ASSIGN_OR_RETURN(p.gate, NodeGate::Open(*p.tokens));
  SKERRY_ASSIGN_OR_RETURN(
      p.link_listener,
      rpc::Listener::Create(config_.link_listen,
                            {.handshakes_max = static_cast<size_t>(config_.handshakes_max)},
                            p.registry));
  if (p.database != nullptr) {
    p.watch = std::make_unique<NodeWatch>(
        *p.database,
        [gate = p.gate.get(), hub = p.hub.get()](const NodeState& state) {
          gate->Note(state.node, state.disabled);
          if (state.disabled) hub->End(state.node, NodeDisabled(state.node));
          hub->FenceBelow(state.node, state.session_epoch);
        },
        p.registry, log_);
    p.command_watch = std::make_unique<CommandWatch>(
        *p.database,
        CommandWatch::Events{
            .changed = [hub = p.hub.get()](const std::string& node) { hub->ReloadCommands(node); },
            .missed = [hub = p.hub.get()] { hub->ReloadAllCommands(); }},
        log_);
  }
  p.link_service = MakeLinkService(*p.hub, *p.gate, *p.link_listener, clock_, p.metrics, log_);
  p.spoke_service = MakeSpokeService(*p.hub, hub.session.hub, log_);
  p.tunnel_service = MakeTunnelService(*p.hub);
  p.command_pool = std::make_unique<exec::ThreadPool>("commands", kCommandThreads, kCommandQueue);
  p.command_service = MakeCommandService(*p.hub, *p.command_pool, clock_);
  p.admin_service = MakeAdminService(
      *p.hub, *p.token_admin, *p.gate, [this](int rate) { return SetDrain(rate); }, hub.session.hub,
      *p.admin_pool, log_);
  SKERRY_RETURN_IF_ERROR(StartServers());
  serving_->Set(true);
  return absl::OkStatus();
}

absl::Status CloudHubApp::OpenStores() {
  Parts& p = *parts_;
  SKERRY_RETURN_IF_ERROR(config_.store_kind == "postgres" ? OpenPostgres() : OpenSqlite());
  SKERRY_ASSIGN_OR_RETURN(bool known, p.tokens->NodesKnown());
  if (!known) {
    log_.Warning(
        "which nodes have joined is not known: a new name needs a token made for it, until "
        "skerryctl token create --nodes-known");
  }
  return absl::OkStatus();
}

absl::Status CloudHubApp::OpenSqlite() {
  Parts& p = *parts_;
  // Before there is a CA: a first start that breaks off in between is still a first start.
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteTokenStore> tokens,
                          SqliteTokenStore::Open(config_.state_dir + "/tokens.db",
                                                 HubPki::IsNew(PkiOptions(config_)), Files()));
  if (tokens->set_aside().has_value()) {
    p.metrics.StoreRepaired("tokens");
    log_.Error(
        "tokens and joined nodes were damaged and set aside: make new tokens, disable nodes anew",
        {{"path", *tokens->set_aside()}});
  }
  p.tokens = std::move(tokens);
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteNodeRecords> records,
                          SqliteNodeRecords::Open(config_.state_dir, clock_, Files()));
  if (records->epochs_set_aside().has_value()) {
    p.metrics.StoreRepaired("epoch");
    log_.Error("the number of the last session was damaged and set aside: it goes on by the clock",
               {{"path", *records->epochs_set_aside()}});
  }
  p.records = std::move(records);
  SKERRY_ASSIGN_OR_RETURN(p.pki, HubPki::Open(PkiOptions(config_), clock_, log_));
  return OpenSqliteCommands();
}

sqlite::Environment CloudHubApp::Files() {
  sqlite::Environment environment;
  environment.on_failure = sqlite::CountFailures(parts_->registry);
  return environment;
}

absl::Status CloudHubApp::OpenPostgres() {
  Parts& p = *parts_;
  postgres::PoolOptions options;
  SKERRY_ASSIGN_OR_RETURN(const std::string url,
                          security::ReadSmallFile(config_.postgres_url_file));
  options.connection = std::string(absl::StripAsciiWhitespace(url));
  // Each admits, and asks for commands.
  options.connections_max += 2 * static_cast<size_t>(config_.session_threads);
  // A box that waits for its session gives up after 15 s.
  options.connect_timeout = absl::Seconds(2);
  options.statement_timeout = absl::Seconds(5);
  options.registry = &p.registry;
  p.database = std::make_unique<postgres::Pool>(options);
  SKERRY_RETURN_IF_ERROR(postgres::AwaitDatabase(*p.database, readiness_, log_));
  SKERRY_RETURN_IF_ERROR(MigrateHubTables(*p.database));
  SKERRY_RETURN_IF_ERROR(ClaimCa(
      *p.database, [this] { return HubPki::IsNew(PkiOptions(config_)); },
      [this, &p]() -> absl::StatusOr<std::string> {
        SKERRY_ASSIGN_OR_RETURN(p.pki, HubPki::Open(PkiOptions(config_), clock_, log_));
        return p.pki->ca().hash();
      }));
  p.tokens = std::make_unique<PostgresTokenStore>(*p.database);
  p.records = std::make_unique<PostgresNodeRecords>(*p.database, clock_);
  p.commands = std::make_unique<PostgresCommandStore>(*p.database, QueueBounds(config_), clock_);
  return absl::OkStatus();
}

absl::Status CloudHubApp::OpenSqliteCommands() {
  Parts& p = *parts_;
  const int64_t bytes_max = config_.commands_store_bytes_max;
  sqlite::Environment files = Files();
  files.on_size = [&p, bytes_max](int64_t bytes) { p.metrics.CommandStore(bytes, bytes_max); };
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteCommandStore> commands,
                          SqliteCommandStore::Open(config_.state_dir + "/commands.db",
                                                   QueueBounds(config_), bytes_max, clock_, files));
  if (commands->set_aside().has_value()) {
    p.metrics.StoreRepaired("commands");
    log_.Error("queued commands were damaged: they were set aside and a new queue begun",
               {{"path", *commands->set_aside()}, {"lost", "commands that waited for a node"}});
  }
  p.commands = std::move(commands);
  return absl::OkStatus();
}

absl::Status CloudHubApp::StartServers() {
  Parts& p = *parts_;
  rpc::ServerOptions options;
  options.registry = &p.registry;
  rpc::ServerOptions link = options;
  link.listen = config_.link_listen;
  link.listener = p.link_listener.get();
  link.connection_idle_max = kIdleMax;
  link.message_bytes_max = link::kFrameBytesMax;
  SKERRY_RETURN_IF_ERROR(rpc::UseTls(link, p.pki->server_files(), LinkPolicy()));
  SKERRY_ASSIGN_OR_RETURN(p.link_server, rpc::Server::Create(link, {p.link_service.get()}));
  JoinServerOptions join;
  join.listen = config_.join_listen;
  join.link_address = config_.link_advertise;
  join.link_bound_address = p.link_server->address();
  join.node_certificate_lifetime = config_.node_certificate_lifetime;
  join.expired_grace = config_.expired_grace;
  SKERRY_ASSIGN_OR_RETURN(p.join_server, JoinServer::Create(join, *p.pki, *p.tokens, *p.tokens,
                                                            p.registry, clock_, log_));
  // Last: operators speak of the others through it.
  options.listen = config_.api_listen;
  options.window_bytes = kControllerWindowBytes;
  SKERRY_ASSIGN_OR_RETURN(
      p.callers_tokens,
      auth::OpenBearer(config_.bearer, config_.kubeconfig,
                       absl::StrCat("cloudhub-svc/", BuildVersion()), clock_, p.registry, log_));
  SKERRY_RETURN_IF_ERROR(
      rpc::UseTls(options, p.pki->server_files(), ApiPolicy(), p.callers_tokens.get()));
  SKERRY_ASSIGN_OR_RETURN(
      p.api_server, rpc::Server::Create(options, {p.spoke_service.get(), p.tunnel_service.get(),
                                                  p.command_service.get(), p.admin_service.get()}));
  p.api_server->SetServing(true);
  p.link_server->SetServing(true);
  return absl::OkStatus();
}

absl::Status CloudHubApp::SetDrain(int nodes_per_second) {
  Parts& p = *parts_;
  if (p.database == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "this hub has a store of its own (store.kind sqlite), so there is no replica that "
                 "its nodes could go to; to stop it, stop the process: they wait for it")
        .Reason("NO_REPLICAS");
  }
  // Balancers look away first.
  not_draining_->Set(nodes_per_second == 0);
  p.link_server->SetServing(nodes_per_second == 0);
  if (nodes_per_second > 0) {
    p.hub->StartDrain(nodes_per_second);
  } else {
    p.hub->StopDrain();
  }
  return absl::OkStatus();
}

void CloudHubApp::Drain(absl::Time deadline) {
  if (parts_ == nullptr) return;
  Parts& p = *parts_;
  if (p.link_server != nullptr) p.link_server->SetServing(false);
  if (p.api_server != nullptr) p.api_server->SetServing(false);
  if (p.join_server != nullptr) p.join_server->Shutdown(deadline);
  if (p.hub != nullptr) p.hub->Drain(config_.drain_retry_after);
  if (p.link_server != nullptr) p.link_server->Shutdown(deadline);
  if (p.api_server != nullptr) p.api_server->Shutdown(deadline);
}

void CloudHubApp::Stop() {
  if (parts_ == nullptr) return;
  Parts& p = *parts_;
  serving_->Set(false);
  p.join_server.reset();
  p.link_server.reset();
  p.api_server.reset();
  p.watch.reset();
  p.command_watch.reset();
  if (p.admin_pool != nullptr) p.admin_pool->Stop();
  if (p.command_pool != nullptr) p.command_pool->Stop();
  if (p.hub != nullptr) p.hub->Stop();
  parts_.reset();
}

std::map<std::string, std::string> CloudHubApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_ == nullptr) return addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  if (parts_->api_server != nullptr) addresses["api"] = parts_->api_server->address();
  if (parts_->link_server != nullptr) addresses["link"] = parts_->link_server->address();
  if (parts_->join_server != nullptr) addresses["join"] = parts_->join_server->address();
  return addresses;
}

}  // namespace skerry::cloudhub
