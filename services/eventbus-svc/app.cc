#include "services/eventbus-svc/app.h"

#include <map>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "services/eventbus-svc/adapters/hub_spoke.h"
#include "services/eventbus-svc/adapters/mqtt_client.h"
#include "services/eventbus-svc/adapters/twin_client.h"
#include "services/eventbus-svc/broker_events.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/announcer.h"
#include "services/eventbus-svc/runner/heads.h"
#include "services/eventbus-svc/runner/intake.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/runner/publisher.h"
#include "services/eventbus-svc/runner/request_desk.h"
#include "services/eventbus-svc/runner/rule_topics.h"
#include "services/eventbus-svc/runner/uploader.h"
#include "services/eventbus-svc/store/request_log.h"
#include "services/eventbus-svc/store/sqlite_bus_store.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/names.h"
#include "services/lib/process/readiness.h"
#include "services/lib/security/certificate_expiry.h"
#include "services/lib/security/files.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::eventbus {
namespace {

// A random UUID (version 4), as KubeEdge's event ids are.
std::string NewId() {
  thread_local absl::BitGen random;
  const uint64_t high = absl::Uniform<uint64_t>(random);
  const uint64_t low = absl::Uniform<uint64_t>(random);
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffff);
}

// Tells the readiness, too.
class Twins final : public TwinWatcher {
 public:
  Twins(TwinWatcher& next, process::Readiness& readiness)
      : next_(next), token_(readiness.Register("twins of twin-svc")) {}

  void OnTwin(twin::v1::Twin twin) override { next_.OnTwin(std::move(twin)); }
  void OnTwinDeleted(const DeviceName& device) override { next_.OnTwinDeleted(device); }
  void OnTwinsSynced() override {
    next_.OnTwinsSynced();
    token_->Set(true);
  }
  void OnTwinsConnected(bool connected) override {
    if (!connected) token_->Set(false);
    next_.OnTwinsConnected(connected);
  }

 private:
  TwinWatcher& next_;
  const std::unique_ptr<process::Readiness::Token> token_;
};

}  // namespace

// In order of construction; destroyed in reverse.
struct BusApp::Parts {
  explicit Parts(Clock& clock) : heads(clock, NewId) {}

  metrics::Registry registry{"eventbus-svc"};
  BusMetrics metrics{registry};
  hubclient::HubClientMetrics hub_metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> serving;
  const Heads heads;
  std::unique_ptr<SqliteBusStore> store;
  std::unique_ptr<RequestLog> requests;
  std::unique_ptr<exec::SerialExecutor> executor;       // Of all but what speaks with the broker.
  std::unique_ptr<exec::SerialExecutor> mqtt_executor;  // The one that calls Paho.
  std::unique_ptr<Journal> journal;
  std::unique_ptr<TwinClient> twins;
  std::unique_ptr<RequestDesk> desk;
  std::unique_ptr<Announcer> announcer;
  std::unique_ptr<Twins> watcher;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Uploader> uploader;
  std::unique_ptr<HubSpoke> hub;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<RuleTopics> rule_topics;
  std::unique_ptr<metaclient::MetaClient> meta;
  std::unique_ptr<BrokerEvents> broker_events;
  std::unique_ptr<MqttClient> mqtt;
  std::unique_ptr<security::CertificateExpiry> certificates;  // Null without one for the broker.
  std::unique_ptr<metrics::OpsServer> ops;
};

BusApp::BusApp(BusConfig config, Clock& clock, log::Logger log)
    : config_(WithDefaults(std::move(config))),
      clock_(clock),
      log_(std::move(log)),
      parts_(std::make_unique<Parts>(clock)) {}

BusConfig BusApp::WithDefaults(BusConfig config) {
  FillDefaults(config);
  return config;
}

BusApp::~BusApp() { Stop(); }

absl::Status BusApp::Start() {
  Parts& p = *parts_;
  p.serving = p.readiness.Register("eventbus-svc serving");
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  SKERRY_RETURN_IF_ERROR(OpenStore());
  SKERRY_RETURN_IF_ERROR(MakeRunners());
  SKERRY_RETURN_IF_ERROR(MakeAdapters());
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  p.twins->Watch(*p.watcher);
  p.hub->Start();
  p.uploader->Wake();
  p.meta->Start();
  p.intake->Resume();
  p.mqtt->Start();
  p.serving->Set(true);
  log_.Info("serving", {{"broker", config_.mqtt_broker}});
  return absl::OkStatus();
}

absl::Status BusApp::OpenStore() {
  Parts& p = *parts_;
  const auto show = [](auto& gauge, int64_t bound) { gauge.Set(static_cast<double>(bound)); };
  show(p.metrics.requests_waiting_bytes_max, config_.requests_bytes_max);
  show(p.metrics.publications_waiting_bytes_max, config_.publications_bytes_max);
  show(p.metrics.uploads_waiting_bytes_max, config_.uploads_bytes_max);
  show(p.metrics.twins_cached_bytes_max, config_.twins_cache_bytes_max);
  sqlite::Environment environment;
  environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("the store is damaged: this service ends, and its next start repairs it", status);
    process::RequestStop();
  };
  SKERRY_ASSIGN_OR_RETURN(
      p.store, SqliteBusStore::Open(config_.state_dir + "/eventbus.db",
                                    {.publications_bytes_max = config_.publications_bytes_max,
                                     .uploads_bytes_max = config_.uploads_bytes_max,
                                     .age_max = config_.age_max},
                                    NewId(), clock_, environment));
  if (const auto& repair = p.store->repair(); repair.has_value()) {
    log_.Error("the store was damaged: what could be read is in a new one",
               {{"path", repair->set_aside},
                {"rows", repair->rows},
                {"incomplete", absl::StrJoin(repair->incomplete, ", ")}});
    p.metrics.store_repairs.Increment();
  }
  SKERRY_ASSIGN_OR_RETURN(p.requests,
                          RequestLog::Open(config_.state_dir + "/eventbus-requests.db",
                                           config_.requests_log_bytes_max, environment));
  return absl::OkStatus();
}

absl::Status BusApp::MakeRunners() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(const NodeName node, NodeName::Parse(config_.node_name));
  SKERRY_ASSIGN_OR_RETURN(auto seen, p.store->ReadSeen());
  p.executor = std::make_unique<exec::SerialExecutor>("bus", clock_);
  p.mqtt_executor = std::make_unique<exec::SerialExecutor>("mqtt", clock_);
  p.journal = std::make_unique<Journal>(*p.store, Journal::Options{}, clock_, p.metrics, log_);
  SKERRY_ASSIGN_OR_RETURN(p.twins, TwinClient::Create({.address = config_.twin_address,
                                                       .reconnect_max = config_.reconnect_max},
                                                      *p.executor, log_));
  p.announcer = std::make_unique<Announcer>(
      Announcer::Options{.node = node,
                         .cache_bytes_max = static_cast<size_t>(config_.twins_cache_bytes_max)},
      std::move(seen), *p.journal, *p.executor, p.heads,
      [&p](const DeviceName& device) { p.desk->Refetch(device); }, p.metrics, log_);
  p.desk = std::make_unique<RequestDesk>(
      RequestDesk::Options{.node = node, .time_max = config_.requests_time_max}, *p.twins,
      *p.announcer, *p.journal, *p.executor, clock_, p.heads,
      [&p](const Request& request) { p.intake->Release(request); }, p.metrics, log_);
  p.watcher = std::make_unique<Twins>(*p.desk, p.readiness);
  p.intake = std::make_unique<Intake>(
      Intake::Options{.node = node,
                      .requests_bytes_max = static_cast<size_t>(config_.requests_bytes_max)},
      *p.journal, *p.requests, NewId,
      [&p](Request request) {
        p.executor->Post(
            [&p, request = std::move(request)]() mutable { p.desk->Submit(std::move(request)); });
      },
      clock_, p.metrics, log_);
  p.uploader = std::make_unique<Uploader>(
      Uploader::Options{}, *p.journal, *p.executor,
      [&p](const std::vector<WaitingUpload>& uploads, Uploader::PutDone done) {
        p.hub->Put(uploads, std::move(done));
      },
      p.metrics, log_);
  p.publisher = std::make_unique<Publisher>(
      *p.journal, *p.mqtt_executor,
      [&p](uint64_t id, const Publication& publication) {
        return p.mqtt->Publish(id, publication);
      },
      p.metrics, log_);
  p.journal->SetListeners([&p] { p.publisher->Wake(); }, [&p] { p.uploader->Wake(); });
  return absl::OkStatus();
}

absl::Status BusApp::MakeAdapters() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(
      p.hub, HubSpoke::Create(
                 {.address = config_.edgehub_address,
                  .store_id = p.store->id(),
                  .reconnect_max = config_.reconnect_max},
                 *p.executor,
                 [&p](Publication publication, absl::AnyInvocable<void(const absl::Status&)> done) {
                   p.publisher->PublishNow(std::move(publication), std::move(done));
                 },
                 p.hub_metrics, p.metrics, log_));
  MqttOptions mqtt{.broker = config_.mqtt_broker,
                   .client_id = config_.mqtt_client_id,
                   .version_5 = config_.mqtt_version == "5",
                   .topic_filters = SubscribedTopicFilters(),
                   .subscribe_qos = static_cast<int>(config_.mqtt_subscribe_qos),
                   .publish_qos = static_cast<int>(config_.mqtt_publish_qos),
                   .credentials_file = config_.mqtt_credentials_file,
                   .ca_file = config_.mqtt_ca_file,
                   .certificate_file = config_.mqtt_certificate_file,
                   .key_file = config_.mqtt_key_file,
                   .keepalive = config_.mqtt_keepalive,
                   .connect_timeout = config_.mqtt_connect_timeout,
                   .reconnect_max = config_.mqtt_reconnect_max};
  if (!config_.mqtt_certificate_file.empty()) {
    p.certificates = std::make_unique<security::CertificateExpiry>(
        std::map<std::string, std::string>{{"mqtt", config_.mqtt_certificate_file}}, clock_,
        p.registry, log_);
  }
  mqtt.topic_filters.insert(mqtt.topic_filters.end(), config_.mqtt_user_topics.begin(),
                            config_.mqtt_user_topics.end());
  SKERRY_ASSIGN_OR_RETURN(std::set<std::string> rule_filters, p.store->ReadRuleFilters());
  p.rule_topics = std::make_unique<RuleTopics>(
      rule_filters, mqtt.topic_filters, *p.journal, *p.executor,
      [&p](std::set<std::string> wanted, std::set<std::string> unwanted) {
        p.mqtt_executor->Post(
            [&p, wanted = std::move(wanted), unwanted = std::move(unwanted)]() mutable {
              p.mqtt->SetFilters(std::move(wanted), std::move(unwanted));
            });
      },
      p.metrics, log_);
  SKERRY_ASSIGN_OR_RETURN(p.meta,
                          metaclient::MetaClient::Create({.address = config_.meta_address,
                                                          .types = {kRuleType},
                                                          .reconnect_max = config_.reconnect_max},
                                                         *p.executor, *p.rule_topics, log_));
  p.broker_events = std::make_unique<BrokerEvents>(
      *p.intake, *p.publisher,
      [&p](const std::set<std::string>& filters) {
        p.executor->Post([&p, filters] { p.rule_topics->OnUnsubscribed(filters); });
      },
      p.readiness, p.metrics);
  p.mqtt = std::make_unique<MqttClient>(mqtt, *p.mqtt_executor, clock_, *p.broker_events, log_);
  p.mqtt_executor->Post([&p, rule_filters] { p.mqtt->SetFilters(rule_filters, {}); });
  return absl::OkStatus();
}

void BusApp::Drain(absl::Time) {
  Parts& p = *parts_;
  if (p.serving != nullptr) p.serving->Set(false);
}

// First what brings work, then what does it, then the disk, which whoever works may wait for.
void BusApp::Stop() {
  Parts& p = *parts_;
  p.ops.reset();
  p.certificates.reset();
  if (p.intake != nullptr) p.intake->Close();
  if (p.mqtt != nullptr) p.mqtt->Stop();
  if (p.hub != nullptr) p.hub->Stop();
  if (p.meta != nullptr) p.meta->Close();
  p.meta.reset();  // While the executor runs.
  if (p.desk != nullptr) p.executor->Run([&p] { p.desk->Close(); });
  if (p.twins != nullptr) p.twins->Close();
  // What twin-svc has answered is stored, and what is stored is out of the log.
  if (p.executor != nullptr) p.executor->Run([] {});
  if (p.journal != nullptr) p.journal->Stop();
  if (p.executor != nullptr) p.executor->Stop();
  if (p.mqtt_executor != nullptr) p.mqtt_executor->Stop();
  if (p.requests != nullptr) p.requests->Flush();
}

process::Readiness& BusApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> BusApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  return addresses;
}

}  // namespace skerry::eventbus
