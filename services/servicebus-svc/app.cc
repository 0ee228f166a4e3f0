#include "services/servicebus-svc/app.h"

#include <cstdint>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/hubclient/hub_dialer.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/servicebus-svc/endpoint/local_endpoint.h"
#include "services/servicebus-svc/metrics.h"
#include "services/servicebus-svc/runner/post_queue.h"
#include "services/servicebus-svc/runner/service_caller.h"
#include "services/servicebus-svc/runner/target_urls.h"

namespace skerry::servicebus {
namespace {

constexpr char kCommandType[] = "http";

std::string MakeProducer() {
  absl::BitGen random;
  return absl::StrFormat("servicebus-%016x%016x", absl::Uniform<uint64_t>(random),
                         absl::Uniform<uint64_t>(random));
}

ServiceBusConfig WithAddresses(ServiceBusConfig config) {
  FillAddresses(config);
  return config;
}

}  // namespace

// In order of construction; destroyed in reverse.
struct ServiceBusApp::Parts {
  explicit Parts(Clock& clock) : executor("servicebus", clock) {}

  metrics::Registry registry{"servicebus-svc"};
  ServiceBusMetrics metrics{registry};
  hubclient::HubClientMetrics hub_metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> hub_ready;
  exec::SerialExecutor executor;
  std::unique_ptr<http::BeastCaller> caller;
  std::unique_ptr<ServiceCaller> calls;
  std::unique_ptr<hubclient::HubClient> hub;
  std::unique_ptr<TargetUrls> targets;
  std::unique_ptr<metaclient::MetaClient> meta;
  std::unique_ptr<PostQueue> posts;
  std::unique_ptr<LocalEndpoint> endpoint;
  std::unique_ptr<metrics::OpsServer> ops;
};

ServiceBusApp::ServiceBusApp(ServiceBusConfig config, Clock& clock, log::Logger log)
    : config_(WithAddresses(std::move(config))),
      clock_(clock),
      log_(std::move(log)),
      parts_(std::make_unique<Parts>(clock)) {}

ServiceBusApp::~ServiceBusApp() { Stop(); }

absl::Status ServiceBusApp::Start() {
  Parts& p = *parts_;
  p.hub_ready = p.readiness.Register("edgehub-svc");
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  p.caller = std::make_unique<http::BeastCaller>(
      http::BeastCaller::Options{.user_agent = absl::StrCat("servicebus-svc/", BuildVersion()),
                                 .ca_file = config_.calls_ca,
                                 .body_bytes_max = 256u << 10,
                                 .headers_bytes_max = 16u << 10});
  SKERRY_ASSIGN_OR_RETURN(HttpAllowList allowed,
                          HttpAllowList::Parse("calls.allowed", config_.calls_allowed));
  p.calls = std::make_unique<ServiceCaller>(
      ServiceCaller::Options{.workers = static_cast<size_t>(config_.calls_workers),
                             .waiting_max = static_cast<size_t>(config_.calls_waiting_max),
                             .timeout_max = config_.calls_timeout_max},
      std::move(allowed), *p.caller, clock_, p.metrics);
  SKERRY_RETURN_IF_ERROR(StartHub());
  return config_.posts_listen.empty() ? absl::OkStatus() : StartPosts();
}

absl::Status ServiceBusApp::StartPosts() {
  Parts& p = *parts_;
  p.targets = std::make_unique<TargetUrls>(config_.posts_target_urls, p.metrics);
  SKERRY_ASSIGN_OR_RETURN(
      p.meta, metaclient::MetaClient::Create({.address = config_.meta_address,
                                              .types = {kRules},
                                              .reconnect_max = config_.meta_reconnect_max},
                                             p.executor, *p.targets, log_));
  p.meta->Start();
  p.metrics.posts_waiting_bytes_max.Set(static_cast<double>(config_.posts_waiting_bytes_max));
  p.posts = std::make_unique<PostQueue>(
      PostQueue::Options{.producer = MakeProducer(),
                         .bytes_max = static_cast<size_t>(config_.posts_waiting_bytes_max)},
      [&p](hubclient::EventBatch batch, PostQueue::EventsDone done) {
        p.hub->PutEvents(std::move(batch), std::move(done));
      },
      clock_, p.metrics);
  SKERRY_ASSIGN_OR_RETURN(
      p.endpoint,
      LocalEndpoint::Create({.listen = config_.posts_listen, .timeout = config_.posts_timeout},
                            *p.targets, *p.posts, p.executor, p.metrics, p.registry));
  log_.Info("local programs are served", {{"address", p.endpoint->address()}});
  return absl::OkStatus();
}

absl::Status ServiceBusApp::StartHub() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(hubclient::HubDialer dialer,
                          hubclient::MakeHubDialer(config_.edgehub_address));
  hubclient::HubClient::Options options{.spoke = "servicebus-svc",
                                        .command_types = {kCommandType},
                                        .reconnect_max = config_.edgehub_reconnect_max};
  if (!config_.posts_listen.empty()) {
    // Who posts is told that there is no room: nothing is dropped behind its back.
    options.event_streams.push_back({.name = PostQueue::kStream,
                                     .priority = hubclient::EventStream::Priority::kTelemetry,
                                     .when_full = hubclient::EventStream::WhenFull::kRefuse});
  }
  hubclient::HubEvents events{.on_attached = [&p](bool attached) { p.hub_ready->Set(attached); },
                              .on_command =
                                  [&p](hubclient::Command command, hubclient::CommandDone done) {
                                    p.calls->Call(std::move(command), std::move(done));
                                  }};
  p.hub = std::make_unique<hubclient::HubClient>(std::move(options), std::move(dialer), p.executor,
                                                 std::move(events), p.hub_metrics, log_);
  p.hub->Start();
  return absl::OkStatus();
}

void ServiceBusApp::Drain(absl::Time deadline) {
  Parts& p = *parts_;
  const absl::Duration left = deadline - absl::Now();
  if (p.calls != nullptr) p.calls->Drain(clock_.Monotonic() + left);
  if (p.endpoint != nullptr) p.endpoint->Shutdown(deadline);
}

void ServiceBusApp::Stop() {
  Parts& p = *parts_;
  if (p.endpoint != nullptr) p.endpoint->Shutdown(absl::Now());
  if (p.calls != nullptr) p.calls->Stop();
  if (p.hub != nullptr) p.hub->Stop();
  if (p.meta != nullptr) p.meta->Close();
  p.meta.reset();  // While the executor runs.
  p.executor.Stop();
  p.ops.reset();
}

process::Readiness& ServiceBusApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> ServiceBusApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  if (parts_->endpoint != nullptr) addresses["posts"] = parts_->endpoint->address();
  return addresses;
}

}  // namespace skerry::servicebus
