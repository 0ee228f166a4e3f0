#include "services/router-svc/app.h"

#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "services/lib/auth/bearer.h"
#include "services/lib/auth/token_reviews.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/cloudspoke/hub_finder.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/postgres/await_database.h"
#include "services/lib/postgres/pool.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/use_tls.h"
#include "services/lib/security/certificate_expiry.h"
#include "services/lib/security/files.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/tls.h"
#include "services/lib/sqlite/failure_metrics.h"
#include "services/lib/sqlite/storage.h"
#include "services/router-svc/engine.h"
#include "services/router-svc/gateway/command_sender.h"
#include "services/router-svc/gateway/rest_access.h"
#include "services/router-svc/gateway/rest_gateway.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/service/router_service.h"
#include "services/router-svc/store/postgres_message_tables.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

constexpr char kService[] = "router-svc";
constexpr size_t kApiThreads = 2;
constexpr size_t kApiQueue = 64;

// The host for people, the rest to tell processes apart.
std::string MakeInstance() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  absl::BitGen random;
  return absl::StrCat(host, "_", absl::StrFormat("%016x", absl::Uniform<uint64_t>(random)));
}

security::MethodPolicy ApiPolicy() {
  return security::MethodPolicy({
      {"/skerry.router.v1.RouterService/*", {"skerry:operators"}},
      {"/grpc.health.v1.Health/*", {"*"}},
      {"/grpc.reflection.v1alpha.ServerReflection/*", {"skerry:operators"}},
  });
}

}  // namespace

// In order of construction; destroyed in reverse.
struct RouterApp::Parts {
  SystemClock clock;
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> rules_ready{readiness.Register("rules")};
  std::unique_ptr<process::Readiness::Token> hub_ready{readiness.Register("a hub")};
  metrics::Registry registry{kService};
  RouterMetrics metrics{registry};
  std::unique_ptr<metrics::OpsServer> ops;
  std::unique_ptr<postgres::Pool> database;  // Null with SQLite.
  std::unique_ptr<TableMessageStore> store;
  std::unique_ptr<kubeclient::Client> client;
  std::unique_ptr<cloudspoke::HubFinder> hubs;
  std::unique_ptr<security::CertificateExpiry> certificates;  // Null without TLS.
  std::unique_ptr<http::BeastCaller> caller;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<RestAccess> access;
  std::unique_ptr<RestGateway> rest;
  std::unique_ptr<HubCommandSender> sender;
  std::unique_ptr<exec::ThreadPool> api_pool;
  std::unique_ptr<RouterServiceImpl> service;
  std::unique_ptr<auth::TokenReviews> tokens;  // Null: certificates only.
  std::unique_ptr<rpc::Server> api;
};

RouterApp::RouterApp(RouterConfig config, log::Logger log)
    : config_(std::move(config)), log_(std::move(log)), parts_(std::make_unique<Parts>()) {}

RouterApp::~RouterApp() { Stop(); }

absl::Status RouterApp::Start() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  SKERRY_RETURN_IF_ERROR(config_.store_kind == "postgres" ? OpenPostgres() : OpenSqlite());
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<kubeclient::ConfigSource> source,
                          kubeclient::ConfigSource::Open(config_.kubeconfig, log_));
  log_.Info("using the Kubernetes API", {{"server", source->Current()->server}});
  p.client = std::make_unique<kubeclient::CurlClient>(std::move(source),
                                                      absl::StrCat(kService, "/", BuildVersion()));
  SKERRY_RETURN_IF_ERROR(FindHubs());
  SKERRY_RETURN_IF_ERROR(MakeEngine());
  SKERRY_RETURN_IF_ERROR(StartRest());
  SKERRY_RETURN_IF_ERROR(StartApi());
  p.engine->Start();
  return absl::OkStatus();
}

absl::Status RouterApp::OpenSqlite() {
  Parts& p = *parts_;
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  sqlite::Environment environment;
  environment.on_failure = sqlite::CountFailures(p.registry);
  environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("the store is damaged: this service ends, and its next start repairs it", status);
    process::RequestStop();
  };
  p.metrics.store_bytes_max.Set(static_cast<double>(config_.size_bytes_max));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteMessageTables> tables,
                          SqliteMessageTables::Open(config_.state_dir + "/router.db",
                                                    config_.size_bytes_max, environment));
  if (const auto& repair = tables->repair(); repair.has_value()) {
    log_.Error("the store was damaged: what could be read is in a new one",
               {{"path", repair->set_aside},
                {"rows", repair->rows},
                {"incomplete", absl::StrJoin(repair->incomplete, ", ")}});
    p.metrics.store_repairs.Increment();
  }
  return UseTables(std::move(tables));
}

absl::Status RouterApp::OpenPostgres() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(const std::string url,
                          security::ReadSmallFile(config_.postgres_url_file));
  postgres::PoolOptions options{.connection = std::string(absl::StripAsciiWhitespace(url)),
                                .connections_max = 2,
                                .registry = &p.registry};
  p.database = std::make_unique<postgres::Pool>(options);
  SKERRY_RETURN_IF_ERROR(postgres::AwaitDatabase(*p.database, p.readiness, log_));
  SKERRY_RETURN_IF_ERROR(PostgresMessageTables::Migrate(*p.database));
  return UseTables(std::make_unique<PostgresMessageTables>(*p.database));
}

absl::Status RouterApp::UseTables(std::unique_ptr<MessageTables> tables) {
  parts_->metrics.rule_waiting_bytes_max.Set(static_cast<double>(config_.rule_bytes_max));
  parts_->metrics.dead_letter_bytes_max.Set(static_cast<double>(config_.letter_bytes_max));
  SKERRY_ASSIGN_OR_RETURN(
      parts_->store,
      TableMessageStore::Open(std::move(tables), {.rule_bytes_max = config_.rule_bytes_max,
                                                  .letter_bytes_max = config_.letter_bytes_max}));
  return absl::OkStatus();
}

absl::Status RouterApp::FindHubs() {
  cloudspoke::HubFinder::Options options{.addresses = config_.hub_addresses,
                                         .credentials = nullptr,
                                         .server_name = config_.hub_server_name};
  if (!config_.tls_ca.empty()) {
    SKERRY_ASSIGN_OR_RETURN(
        options.credentials,
        security::MutualTlsClient(
            {.ca = config_.tls_ca, .cert = config_.tls_cert, .key = config_.tls_key}));
  }
  std::map<std::string, std::string> certificates;
  if (!config_.tls_ca.empty()) certificates["client"] = config_.tls_cert;
  if (!config_.rest_cert.empty()) certificates["rest"] = config_.rest_cert;
  if (!certificates.empty()) {
    parts_->certificates = std::make_unique<security::CertificateExpiry>(
        certificates, parts_->clock, parts_->registry, log_);
  }
  SKERRY_ASSIGN_OR_RETURN(
      parts_->hubs,
      cloudspoke::HubFinder::Create(std::move(options), cloudspoke::HubFinder::SystemLookup, log_));
  return absl::OkStatus();
}

absl::Status RouterApp::MakeEngine() {
  Parts& p = *parts_;
  p.caller = std::make_unique<http::BeastCaller>(http::BeastCaller::Options{
      .user_agent = absl::StrCat(kService, "/", BuildVersion()),
      .ca_file = config_.delivery_ca,
      .body_bytes_max = 64u << 10,
      .idle_connections_max = static_cast<size_t>(config_.delivery_workers)});
  Engine::Options options{.instance = MakeInstance(),
                          .find_hubs_interval = config_.find_hubs_interval,
                          .status_interval = config_.status_interval,
                          .delivery = {.workers = static_cast<size_t>(config_.delivery_workers),
                                       .timeout = config_.delivery_timeout,
                                       .policy = {.backoff_min = config_.delivery_backoff_min,
                                                  .backoff_max = config_.delivery_backoff_max,
                                                  .age_max = config_.delivery_age_max}}};
  if (!config_.delivery_targets.empty()) {
    SKERRY_ASSIGN_OR_RETURN(options.targets,
                            HttpAllowList::Parse("delivery.targets", config_.delivery_targets));
  }
  Engine::Listener listener{.on_synced = [&p] { p.rules_ready->Set(true); },
                            .on_hubs = [&p](size_t attached) { p.hub_ready->Set(attached > 0); }};
  p.engine = std::make_unique<Engine>(std::move(options), *p.client, *p.hubs, *p.store, *p.caller,
                                      std::move(listener), p.clock, p.metrics, log_);
  return absl::OkStatus();
}

absl::Status RouterApp::StartRest() {
  if (config_.rest_listen.empty()) return absl::OkStatus();
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(p.access, RestAccess::Create({.group = config_.rest_group,
                                                        .token_file = config_.rest_token_file},
                                                       p.clock, log_));
  p.sender = std::make_unique<HubCommandSender>(
      [&p](const std::string& node) { return p.engine->ChannelOf(node); });
  const bool own = !config_.rest_cert.empty();
  SKERRY_ASSIGN_OR_RETURN(
      p.rest, RestGateway::Create({.listen = config_.rest_listen,
                                   .cert_file = own ? config_.rest_cert : config_.tls_cert,
                                   .key_file = own ? config_.rest_key : config_.tls_key,
                                   .client_ca_file = config_.rest_client_ca,
                                   .timeout = config_.rest_timeout},
                                  p.engine->rules(), *p.access, *p.sender, p.metrics, p.registry));
  log_.Info("REST endpoint open", {{"address", p.rest->address()}});
  return absl::OkStatus();
}

absl::Status RouterApp::StartApi() {
  if (config_.listen.empty()) return absl::OkStatus();
  Parts& p = *parts_;
  p.api_pool = std::make_unique<exec::ThreadPool>("api", kApiThreads, kApiQueue);
  p.service = std::make_unique<RouterServiceImpl>(
      *p.store, *p.api_pool, [&p](const std::string& rule) { p.engine->Wake(rule); }, p.clock);
  SKERRY_ASSIGN_OR_RETURN(p.tokens, auth::OpenBearer(config_.bearer, config_.kubeconfig,
                                                     absl::StrCat(kService, "/", BuildVersion()),
                                                     p.clock, p.registry, log_));
  rpc::ServerOptions options{.listen = config_.listen, .registry = &p.registry};
  if (!config_.tls_ca.empty()) {
    SKERRY_RETURN_IF_ERROR(rpc::UseTls(
        options, {.ca = config_.tls_ca, .cert = config_.tls_cert, .key = config_.tls_key},
        ApiPolicy(), p.tokens.get()));
  }
  SKERRY_ASSIGN_OR_RETURN(p.api, rpc::Server::Create(options, {p.service.get()}));
  p.api->SetServing(true);
  return absl::OkStatus();
}

void RouterApp::Drain(absl::Time deadline) {
  Parts& p = *parts_;
  if (p.api != nullptr) p.api->SetServing(false);
  if (p.rest != nullptr) p.rest->Shutdown(deadline);
  if (p.api != nullptr) p.api->Shutdown(deadline);
}

void RouterApp::Stop() {
  Parts& p = *parts_;
  if (p.rest != nullptr) p.rest->Shutdown(absl::Now());
  if (p.sender != nullptr) p.sender->Stop();  // Its answers are the gateway's.
  p.api.reset();
  p.tokens.reset();
  if (p.api_pool != nullptr) p.api_pool->Stop();
  if (p.engine != nullptr) p.engine->Stop();
  p.sender.reset();
  p.rest.reset();
  p.engine.reset();
  p.certificates.reset();
  p.hubs.reset();
  p.client.reset();
  p.store.reset();
  p.database.reset();
  p.ops.reset();
}

process::Readiness& RouterApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> RouterApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  if (parts_->api != nullptr) addresses["api"] = parts_->api->address();
  if (parts_->rest != nullptr) addresses["rest"] = parts_->rest->address();
  return addresses;
}

}  // namespace skerry::router
