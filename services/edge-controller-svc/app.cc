#include "services/edge-controller-svc/app.h"

#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/security/tls.h"

namespace skerry::edgecontroller {
namespace {

constexpr char kService[] = "edge-controller-svc";

// As client-go's: the host for people, the rest to tell processes apart.
std::string MakeInstance() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  absl::BitGen random;
  return absl::StrCat(host, "_", absl::StrFormat("%016x", absl::Uniform<uint64_t>(random)));
}

}  // namespace

EdgeControllerApp::EdgeControllerApp(EdgeControllerConfig config, log::Logger log)
    : config_(std::move(config)),
      instance_(MakeInstance()),
      log_(log),
      api_ready_(readiness_.Register("Kubernetes API")),
      caches_ready_(readiness_.Register("caches of the Kubernetes API")),
      hub_ready_(readiness_.Register("a hub")),
      registry_(kService),
      metrics_(registry_) {}

EdgeControllerApp::~EdgeControllerApp() { Stop(); }

absl::Status EdgeControllerApp::Start() {
  SKERRY_ASSIGN_OR_RETURN(ops_,
                          metrics::OpsServer::Create(config_.common.ops_listen, registry_,
                                                     [this] { return readiness_.WaitingFor(); }));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<kubeclient::ConfigSource> source,
                          kubeclient::ConfigSource::Open(config_.kubeconfig, log_));
  log_.Info("using the Kubernetes API", {{"server", source->Current()->server}});
  client_ = std::make_unique<kubeclient::CurlClient>(std::move(source),
                                                     absl::StrCat(kService, "/", BuildVersion()));
  SKERRY_RETURN_IF_ERROR(FindHubs());
  SKERRY_RETURN_IF_ERROR(StartGateway());
  if (config_.leader_election) {
    StartElector();
  } else {
    Lead();
  }
  return absl::OkStatus();
}

absl::Status EdgeControllerApp::FindHubs() {
  cloudspoke::HubFinder::Options options{.addresses = config_.hub_addresses,
                                         .credentials = nullptr,
                                         .server_name = config_.hub_server_name};
  if (!config_.tls_ca.empty()) {
    SKERRY_ASSIGN_OR_RETURN(
        options.credentials,
        security::MutualTlsClient(
            {.ca = config_.tls_ca, .cert = config_.tls_cert, .key = config_.tls_key}));
    certificates_ = std::make_unique<security::CertificateExpiry>(
        std::map<std::string, std::string>{{"client", config_.tls_cert}}, clock_, registry_, log_);
  }
  SKERRY_ASSIGN_OR_RETURN(
      hubs_,
      cloudspoke::HubFinder::Create(std::move(options), cloudspoke::HubFinder::SystemLookup, log_));
  return absl::OkStatus();
}

absl::Status EdgeControllerApp::StartGateway() {
  if (config_.kubelet_listen.empty()) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(
      gateway_, KubeletGateway::Create(
                    {.listen = config_.kubelet_listen,
                     .cert_file = config_.tls_cert,
                     .key_file = config_.tls_key,
                     .client_ca_file = config_.kubelet_client_ca,
                     .client_names = config_.kubelet_client_names,
                     .registry = &registry_},
                    [this](const std::string& pod) { return RouteTo(pod); }, metrics_, log_));
  const std::string address = gateway_->address();
  const size_t colon = address.rfind(':');
  if (!absl::SimpleAtoi(address.substr(colon + 1), &kubelet_.port))
    return absl::InternalError(absl::StrCat("the kubelet endpoint has no port: ", address));
  kubelet_.address = config_.kubelet_advertise_address.empty()
                         ? absl::StrReplaceAll(address.substr(0, colon), {{"[", ""}, {"]", ""}})
                         : config_.kubelet_advertise_address;
  kubelet_.internal_ip = config_.kubelet_advertise_internal_ip;
  return absl::OkStatus();
}

absl::StatusOr<KubeletGateway::Route> EdgeControllerApp::RouteTo(const std::string& pod) {
  absl::ReaderMutexLock lock(&engine_mutex_);
  if (engine_ == nullptr) {
    return Error(absl::StatusCode::kUnavailable, "another replica leads; ask that")
        .Reason("NOT_LEADING");
  }
  const std::optional<KubeObject> object = engine_->FindPod(pod);
  if (!object.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("pod \"", pod.substr(pod.find('/') + 1), "\" does not exist\n"));
  }
  KubeletGateway::Route route;
  route.node = kubeapi::StringAt(object->Json(), {"spec", "nodeName"});
  route.hub = engine_->TunnelTo(route.node);
  if (route.hub == nullptr) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("node ", route.node, " is not connected to the cloud"))
        .Reason("NODE_NOT_CONNECTED");
  }
  return route;
}

void EdgeControllerApp::SetEngine(std::unique_ptr<Engine> engine) {
  {
    absl::MutexLock lock(&engine_mutex_);
    engine_.swap(engine);
  }
  // The former goes here, without the lock: it waits for what it began.
}

void EdgeControllerApp::StartElector() {
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

void EdgeControllerApp::Lead() {
  caches_ready_->Set(false);
  hub_ready_->Set(false);
  Engine::Options options{
      .instance = instance_,
      .upstream = {.workers = static_cast<size_t>(config_.report_workers), .kubelet = kubelet_},
      .nodes = {.workers = static_cast<size_t>(config_.node_workers),
                .lease_interval = config_.node_lease_interval,
                .lease_duration = config_.node_lease_duration,
                .lost_after = config_.node_lost_after,
                .pod_gc = config_.pod_gc,
                .pod_gc_after = config_.pod_gc_after,
                .kubelet = kubelet_},
      .find_hubs_interval = config_.find_hubs_interval};
  Engine::Listener listener{.on_synced =
                                [this] {
                                  api_ready_->Set(true);
                                  caches_ready_->Set(true);
                                },
                            .on_hubs = [this](size_t attached) { hub_ready_->Set(attached > 0); }};
  auto engine = std::make_unique<Engine>(std::move(options), *client_, *hubs_, std::move(listener),
                                         clock_, metrics_, log_);
  engine->Start();
  SetEngine(std::move(engine));
}

void EdgeControllerApp::CeaseToLead() { SetEngine(nullptr); }

void EdgeControllerApp::Drain(absl::Time) {
  // The lease goes to another replica at once; the nodes' sessions are the hubs' and live on.
  if (elector_ != nullptr) elector_->Stop();
}

void EdgeControllerApp::Stop() {
  elector_.reset();
  gateway_.reset();
  SetEngine(nullptr);
  certificates_.reset();
  hubs_.reset();
  client_.reset();
  ops_.reset();
}

std::map<std::string, std::string> EdgeControllerApp::addresses() const {
  return {{"ops", ops_ == nullptr ? "" : ops_->address()},
          {"kubelet", gateway_ == nullptr ? "" : gateway_->address()}};
}

}  // namespace skerry::edgecontroller
