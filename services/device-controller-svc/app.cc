#include "services/device-controller-svc/app.h"

#include <unistd.h>

#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/lib/auth/bearer.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/security/tls.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kService[] = "device-controller-svc";
// Beside the workers: the API's calls, the registry, retention.
constexpr int64_t kOtherConnections = 8;

// As client-go's: the host for people, the rest to tell processes apart.
std::string MakeInstance() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  absl::BitGen random;
  return absl::StrCat(host, "_", absl::StrFormat("%016x", absl::Uniform<uint64_t>(random)));
}

}  // namespace

DeviceControllerApp::DeviceControllerApp(DeviceControllerConfig config, log::Logger log)
    : config_(std::move(config)),
      instance_(MakeInstance()),
      log_(log),
      api_ready_(readiness_.Register("Kubernetes API")),
      caches_ready_(readiness_.Register("caches of the Kubernetes API, and the registry")),
      hub_ready_(readiness_.Register("a hub")),
      registry_(kService),
      metrics_(registry_) {}

DeviceControllerApp::~DeviceControllerApp() { Stop(); }

absl::Status DeviceControllerApp::Start() {
  SKERRY_ASSIGN_OR_RETURN(ops_,
                          metrics::OpsServer::Create(config_.common.ops_listen, registry_,
                                                     [this] { return readiness_.WaitingFor(); }));
  StoreSet::Options stores{
      .state_dir = config_.state_dir,
      .postgres_url_file =
          config_.store_kind == "postgres" ? config_.postgres_url_file : std::string(),
      .size_bytes_max = config_.size_bytes_max,
      .connections_max = static_cast<size_t>(config_.report_workers + config_.reading_workers +
                                             config_.device_workers + kOtherConnections),
      .registry = &registry_,
      .readiness = &readiness_,
      .on_size = [this](absl::string_view store, int64_t bytes) {
        metrics_.StoreSize(store, bytes, config_.size_bytes_max);
      }};
  SKERRY_ASSIGN_OR_RETURN(stores_, StoreSet::Open(stores, clock_, log_));
  for (const std::string& store : stores_->repaired()) metrics_.StoreRepairs(store).Increment();
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<kubeclient::ConfigSource> source,
                          kubeclient::ConfigSource::Open(config_.kubeconfig, log_));
  log_.Info("using the Kubernetes API", {{"server", source->Current()->server}});
  client_ = std::make_unique<kubeclient::CurlClient>(std::move(source),
                                                     absl::StrCat(kService, "/", BuildVersion()));
  SKERRY_ASSIGN_OR_RETURN(hubs_, MakeFinder());
  if (!config_.tls_ca.empty()) {
    certificates_ = std::make_unique<security::CertificateExpiry>(
        std::map<std::string, std::string>{{"client", config_.tls_cert}}, clock_, registry_, log_);
  }
  SKERRY_RETURN_IF_ERROR(StartApi());
  if (config_.leader_election) {
    StartElector();
  } else {
    Lead();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<cloudspoke::HubFinder>> DeviceControllerApp::MakeFinder() {
  cloudspoke::HubFinder::Options options{.addresses = config_.hub_addresses,
                                         .credentials = nullptr,
                                         .server_name = config_.hub_server_name};
  if (!config_.tls_ca.empty()) {
    SKERRY_ASSIGN_OR_RETURN(
        options.credentials,
        security::MutualTlsClient(
            {.ca = config_.tls_ca, .cert = config_.tls_cert, .key = config_.tls_key}));
  }
  return cloudspoke::HubFinder::Create(std::move(options), cloudspoke::HubFinder::SystemLookup,
                                       log_);
}

absl::Status DeviceControllerApp::StartApi() {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<cloudspoke::HubFinder> hubs, MakeFinder());
  SKERRY_ASSIGN_OR_RETURN(tokens_, auth::OpenBearer(config_.bearer, config_.kubeconfig,
                                                    absl::StrCat(kService, "/", BuildVersion()),
                                                    clock_, registry_, log_));
  ApiServer::Options options{
      .listen = config_.listen,
      .tls = {.ca = config_.tls_ca, .cert = config_.tls_cert, .key = config_.tls_key},
      .tokens = tokens_.get(),
      .find_hubs_interval = config_.find_hubs_interval};
  SKERRY_ASSIGN_OR_RETURN(api_, ApiServer::Create(
                                    std::move(options), *stores_, *client_, std::move(hubs),
                                    [this](const DeviceName& device) {
                                      absl::ReaderMutexLock lock(&engine_mutex_);
                                      if (engine_ != nullptr) engine_->RecordChanged(device);
                                    },
                                    clock_, metrics_, registry_, log_));
  return absl::OkStatus();
}

void DeviceControllerApp::SetEngine(std::unique_ptr<Engine> engine) {
  {
    absl::MutexLock lock(&engine_mutex_);
    engine_.swap(engine);
  }
  // The former goes here, without the lock: it waits for what it began.
}

void DeviceControllerApp::StartElector() {
  elector_ = std::make_unique<kubeclient::LeaderElector>(
      *client_, clock_,
      kubeclient::LeaderElector::Options{.lease_namespace = config_.leader_election_namespace,
                                         .lease_name = config_.leader_election_name,
                                         .identity = instance_,
                                         .lease_duration = config_.lease_duration,
                                         .renew_deadline = config_.renew_deadline,
                                         .retry_period = config_.retry_period},
      kubeclient::LeaderElector::Callbacks{
          .on_started = [this] { Lead(); },
          .on_stopped = [this] { CeaseToLead(); },
          .on_observed =
              [this](absl::string_view holder) {
                api_ready_->Set(true);
                if (holder == instance_) return;
                caches_ready_->Set(true);  // In waiting there is nothing to wait for.
                hub_ready_->Set(true);
              }},
      registry_, log_);
  elector_->Start();
}

void DeviceControllerApp::Lead() {
  caches_ready_->Set(false);
  hub_ready_->Set(false);
  Engine::Options options{.instance = instance_,
                          .twins = {.workers = static_cast<size_t>(config_.report_workers)},
                          .readings = {.workers = static_cast<size_t>(config_.reading_workers)},
                          .devices = {.workers = static_cast<size_t>(config_.device_workers),
                                      .refresh_interval = config_.registry_refresh_interval},
                          .retention = {.history = config_.history_retention,
                                        .telemetry = config_.telemetry_retention,
                                        .interval = config_.retention_interval},
                          .find_hubs_interval = config_.find_hubs_interval};
  Engine::Listener listener{
      .on_synced =
          [this] {
            api_ready_->Set(true);
            caches_ready_->Set(true);
            api_->SetFollowing(true);
          },
      .on_hubs = [this](size_t attached) { hub_ready_->Set(attached > 0); },
      .on_record = [this](const DeviceName& device) { api_->Publish(device); }};
  auto engine =
      std::make_unique<Engine>(std::move(options), *client_, *hubs_,
                               Stores{stores_->registry(), stores_->twins(), stores_->telemetry()},
                               std::move(listener), clock_, metrics_, log_);
  engine->Start();
  SetEngine(std::move(engine));
}

void DeviceControllerApp::CeaseToLead() {
  SetEngine(nullptr);  // First: it may just be about to say that all is known.
  api_->SetFollowing(false);
}

void DeviceControllerApp::Drain(absl::Time deadline) {
  // The lease goes to another replica at once; the nodes' sessions are the hubs' and live on.
  if (elector_ != nullptr) elector_->Stop();
  if (api_ != nullptr) api_->Drain(deadline);
}

void DeviceControllerApp::Stop() {
  elector_.reset();
  SetEngine(nullptr);
  api_.reset();
  certificates_.reset();
  hubs_.reset();
  client_.reset();
  stores_.reset();
  ops_.reset();
}

std::map<std::string, std::string> DeviceControllerApp::addresses() const {
  return {{"ops", ops_ == nullptr ? "" : ops_->address()},
          {"api", api_ == nullptr ? "" : api_->address()}};
}

}  // namespace skerry::devicecontroller
