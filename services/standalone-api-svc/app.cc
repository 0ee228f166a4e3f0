#include "services/standalone-api-svc/app.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/auth/file_access_control.h"
#include "services/lib/kubeapi/auth/service_account_tokens.h"
#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/definition_follower.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/pod_proxy.h"
#include "services/lib/kubeapi/server_metrics.h"
#include "services/lib/kubeapi/store/postgres_object_store.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/pipe/connector.h"
#include "services/lib/security/files.h"
#include "services/lib/security/jwt.h"
#include "services/lib/security/renewal.h"
#include "services/lib/security/renewal_loop.h"
#include "services/standalone-api-svc/controllers/bootstrap.h"
#include "services/standalone-api-svc/controllers/housekeeper.h"
#include "services/standalone-api-svc/default_policy.h"
#include "services/standalone-api-svc/manifests.h"
#include "services/standalone-api-svc/pki.h"
#include "services/standalone-api-svc/scheduler/scheduler.h"

namespace skerry::standaloneapi {
namespace {

constexpr char kMasters[] = "system:masters";

}  // namespace

// In start order: each uses those above it.
struct StandaloneApiApp::Parts {
  Parts() : registry("standalone-api-svc"), server_metrics(registry) {}

  metrics::Registry registry;
  kubeapi::ServerMetrics server_metrics;
  std::unique_ptr<metrics::OpsServer> ops;
  std::unique_ptr<Pki> pki;
  std::unique_ptr<kubeapi::ObjectStore> store;
  std::unique_ptr<kubeapi::ResourceRegistry> kinds;
  std::unique_ptr<kubeapi::DefinitionFollower> definitions;
  std::unique_ptr<kubeapi::ObjectService> objects;
  std::unique_ptr<kubeapi::ServiceAccountTokens> tokens;
  std::unique_ptr<kubeapi::AccessControl> access;
  std::unique_ptr<kubeapi::PodProxy> pod_proxy;
  std::unique_ptr<kubeapi::ApiServer> api;
  std::unique_ptr<kubeapi::LocalClient> system_client;
  std::unique_ptr<kubeapi::LocalClient> scheduler_client;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<Housekeeper> housekeeper;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<security::RenewalLoop> renewals;
};

StandaloneApiApp::StandaloneApiApp(StandaloneApiConfig config, Clock& clock, log::Logger log)
    : config_(std::move(config)),
      clock_(clock),
      log_(std::move(log)),
      serving_(readiness_.Register("serving")) {}

StandaloneApiApp::~StandaloneApiApp() { Stop(); }

absl::Status StandaloneApiApp::Start() {
  parts_ = std::make_unique<Parts>();
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [this] { return readiness_.WaitingFor(); }));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  SKERRY_RETURN_IF_ERROR(OpenPki());
  SKERRY_RETURN_IF_ERROR(OpenStore());
  SKERRY_ASSIGN_OR_RETURN(p.kinds, kubeapi::MakeBuiltInRegistry());
  p.definitions = std::make_unique<kubeapi::DefinitionFollower>(*p.store, *p.kinds, clock_, log_);
  p.objects = std::make_unique<kubeapi::ObjectService>(*p.store, *p.kinds, clock_,
                                                       kubeapi::ObjectServiceOptions{});
  SKERRY_RETURN_IF_ERROR(OpenTokens());
  SKERRY_RETURN_IF_ERROR(OpenAccess());
  const CertificateFiles& kubelet_client = p.pki->kubelet_client_files();
  p.pod_proxy = std::make_unique<kubeapi::PodProxy>(pipe::TlsClient{
      .cert = kubelet_client.cert, .key = kubelet_client.key, .ca = config_.kubelet_ca});
  p.api = std::make_unique<kubeapi::ApiServer>(kubeapi::ApiServer::Deps{
      *p.store, *p.kinds, *p.objects, *p.access, clock_, p.server_metrics, log_,
      [this] { return readiness_.WaitingFor(); }, p.pod_proxy.get(), p.tokens.get()});
  p.system_client = std::make_unique<kubeapi::LocalClient>(
      *p.api, kubeapi::Caller{"system:apiserver", {kMasters}, /*in_process=*/true});
  p.scheduler_client = std::make_unique<kubeapi::LocalClient>(
      *p.api, kubeapi::Caller{"system:kube-scheduler", {}, /*in_process=*/true});
  SKERRY_RETURN_IF_ERROR(Bootstrap());
  p.housekeeper =
      std::make_unique<Housekeeper>(*p.system_client, *p.kinds, clock_,
                                    Housekeeper::Options{p.pki->ca_pem(), config_.event_ttl}, log_);
  p.housekeeper->Start();
  if (config_.scheduler) {
    p.scheduler = std::make_unique<Scheduler>(*p.scheduler_client, clock_, p.registry, log_);
    p.scheduler->Start();
  }
  SKERRY_RETURN_IF_ERROR(Serve());
  SKERRY_RETURN_IF_ERROR(KeepCertificates());
  serving_->Set(true);
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::OpenPki() {
  PkiOptions options;
  options.state_dir = config_.state_dir;
  options.sans = config_.tls_sans;
  options.kubeconfig_dir = config_.kubeconfig_out_dir.empty() ? config_.state_dir + "/kubeconfig"
                                                              : config_.kubeconfig_out_dir;
  options.certificate_lifetime = config_.certificate_lifetime;
  SKERRY_ASSIGN_OR_RETURN(parts_->pki, Pki::Open(options, clock_, log_));
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::OpenStore() {
  if (config_.store_kind == "postgres") {
    kubeapi::PostgresObjectStoreOptions options;
    SKERRY_ASSIGN_OR_RETURN(const std::string url,
                            security::ReadSmallFile(config_.postgres_url_file));
    options.pool.connection = std::string(absl::StripAsciiWhitespace(url));
    options.readiness = &readiness_;
    SKERRY_ASSIGN_OR_RETURN(parts_->store,
                            kubeapi::OpenPostgresObjectStore(options, log_, parts_->registry));
    return absl::OkStatus();
  }
  kubeapi::SqliteObjectStoreOptions options;
  options.path = config_.state_dir + "/objects.db";
  SKERRY_ASSIGN_OR_RETURN(parts_->store, kubeapi::OpenSqliteObjectStore(options, parts_->registry));
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::OpenTokens() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<security::JwtKey> key,
                          security::JwtKey::LoadOrCreate(config_.state_dir + "/pki/sa.key"));
  auto find_uid = [&p](const std::string& ns,
                       const std::string& name) -> absl::StatusOr<std::string> {
    const kubeapi::ResourcePtr accounts = p.kinds->Find("", "v1", "serviceaccounts");
    SKERRY_ASSIGN_OR_RETURN(const kubeapi::Json account, p.objects->Get(*accounts, ns, name));
    if (kubeapi::FindPath(account, {"metadata", "deletionTimestamp"}) != nullptr)
      return absl::NotFoundError("it is being deleted");
    return kubeapi::StringAt(account, {"metadata", "uid"});
  };
  p.tokens =
      std::make_unique<kubeapi::ServiceAccountTokens>(std::move(key), std::move(find_uid), clock_);
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::OpenAccess() {
  kubeapi::FileAccessOptions options;
  options.policy_file = config_.policy_file;
  options.token_file = config_.tokens_file;
  options.service_accounts = parts_->tokens.get();
  if (options.policy_file.empty()) {
    options.policy_file = config_.state_dir + "/policy.yaml";
    if (access(options.policy_file.c_str(), F_OK) != 0) {
      SKERRY_RETURN_IF_ERROR(
          security::WriteFileAtomically(options.policy_file, kDefaultPolicy, 0600));
    }
  }
  SKERRY_ASSIGN_OR_RETURN(
      parts_->access, kubeapi::FileAccessControl::Create(options, log_, parts_->registry, &clock_));
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::Bootstrap() {
  Parts& p = *parts_;
  SKERRY_RETURN_IF_ERROR(EnsureNamespaces(*p.system_client));
  SKERRY_RETURN_IF_ERROR(p.definitions->Start());
  if (config_.manifests_dir.empty()) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(const std::vector<kubeapi::Json> manifests,
                          ReadManifests(config_.manifests_dir));
  return ApplyManifests(*p.system_client, *p.kinds, manifests);
}

absl::Status StandaloneApiApp::Serve() {
  Parts& p = *parts_;
  const CertificateFiles& files = p.pki->serving_files();
  http::ServerOptions options;
  options.listen = config_.listen;
  options.cert_file = files.cert;
  options.key_file = files.key;
  options.client_ca_file = files.ca;
  options.client_certificates = http::ClientCertificates::kOptional;
  options.workers = static_cast<size_t>(config_.workers);
  options.connections_max = static_cast<size_t>(config_.connections_max);
  options.stream_pending_bytes_max = static_cast<size_t>(config_.watch_pending_bytes_max);
  options.registry = &p.registry;
  options.on_background_error = [log = log_](const absl::Status& status) {
    log.Error("trouble of the HTTP server", status);
  };
  kubeapi::ApiServer& api = *p.api;
  SKERRY_ASSIGN_OR_RETURN(
      p.server, http::Server::Create(options, [&api](http::Request request,
                                                     std::shared_ptr<http::Responder> responder) {
        api.Handle(std::move(request), std::move(responder));
      }));
  return absl::OkStatus();
}

absl::Status StandaloneApiApp::KeepCertificates() {
  Parts& p = *parts_;
  std::string server(absl::StripSuffix(config_.kubeconfig_server, "/"));
  if (server.empty()) {
    const std::string address = p.server->address();
    server = absl::StrCat("https://127.0.0.1:", address.substr(address.rfind(':') + 1));
  }
  SKERRY_ASSIGN_OR_RETURN(security::RenewalReport certificates, p.pki->Renew(server));
  p.renewals = std::make_unique<security::RenewalLoop>(
      certificates, [&pki = *p.pki, server] { return pki.Renew(server); }, clock_, p.registry,
      log_);
  return absl::OkStatus();
}

void StandaloneApiApp::Drain(absl::Time deadline) {
  serving_->Set(false);
  if (parts_ != nullptr && parts_->server != nullptr) parts_->server->Shutdown(deadline);
}

void StandaloneApiApp::Stop() {
  if (parts_ == nullptr) return;
  Parts& p = *parts_;
  serving_->Set(false);
  p.renewals.reset();
  if (p.scheduler != nullptr) p.scheduler->Stop();
  if (p.housekeeper != nullptr) p.housekeeper->Stop();
  p.scheduler.reset();
  p.housekeeper.reset();
  p.server.reset();
  // The store ends its watches, whose sinks know the clock and the metrics, before those go.
  parts_.reset();
}

std::map<std::string, std::string> StandaloneApiApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_ == nullptr) return addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  if (parts_->server != nullptr) addresses["api"] = parts_->server->address();
  return addresses;
}

}  // namespace skerry::standaloneapi
