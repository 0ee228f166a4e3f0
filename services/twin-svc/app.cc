#include "services/twin-svc/app.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/hubclient/hub_dialer.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/process/readiness.h"
#include "services/lib/rpc/server.h"
#include "services/lib/security/files.h"
#include "services/lib/sqlite/storage.h"
#include "services/twin-svc/dmi/desk_states.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/dmi_service.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/device_follower.h"
#include "services/twin-svc/runner/method_calls.h"
#include "services/twin-svc/runner/reading_forwarder.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/runner/twin_reporter.h"
#include "services/twin-svc/service.h"
#include "services/twin-svc/store/reading_log.h"
#include "services/twin-svc/store/sqlite_mapper_store.h"
#include "services/twin-svc/store/sqlite_twin_store.h"
#include "services/twin-svc/twin_watches.h"

namespace skerry::twin {
namespace {

constexpr int64_t kMapperStoreBytesMax = 64 << 20;  // Some hundred bytes a device.
constexpr size_t kReadsMax = 64;                    // Lists of readings that wait for their turn.

}  // namespace

// In order of construction; destroyed in reverse.
struct TwinApp::Parts {
  metrics::Registry registry{"twin-svc"};
  TwinMetrics metrics{registry};
  DmiMetrics dmi_metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> serving;
  hubclient::HubClientMetrics hub_metrics{registry};
  std::unique_ptr<SqliteTwinStore> store;
  std::unique_ptr<SqliteMapperStore> mapper_store;
  std::unique_ptr<ReadingLog> readings;
  std::unique_ptr<exec::ThreadPool> pool;  // Of reads of readings.
  TwinWatches watches{metrics};
  std::unique_ptr<exec::SerialExecutor> hub_executor;  // Of what goes up.
  std::unique_ptr<hubclient::HubClient> hub;
  std::unique_ptr<TwinDesk> desk;
  std::unique_ptr<MapperDesk> mappers;
  std::unique_ptr<DeskStates> states;
  std::unique_ptr<MethodCalls> methods;
  std::unique_ptr<ReadingForwarder> forwarder;
  std::unique_ptr<TwinReporter> reporter;
  std::unique_ptr<exec::SerialExecutor> executor;  // Of the follower.
  std::unique_ptr<DeviceFollower> follower;
  std::unique_ptr<metaclient::MetaClient> meta;
  std::unique_ptr<TwinServiceImpl> service;
  std::unique_ptr<DmiServiceImpl> dmi_service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<rpc::Server> dmi_server;
  std::unique_ptr<metrics::OpsServer> ops;
};

TwinApp::TwinApp(TwinConfig config, Clock& clock, log::Logger log)
    : config_(WithAddresses(std::move(config))),
      clock_(clock),
      log_(std::move(log)),
      parts_(std::make_unique<Parts>()) {}

TwinConfig TwinApp::WithAddresses(TwinConfig config) {
  FillAddresses(config);
  return config;
}

TwinApp::~TwinApp() { Stop(); }

absl::Status TwinApp::Start() {
  Parts& p = *parts_;
  p.serving = p.readiness.Register("twin-svc serving");
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.run_dir, 0750));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  SKERRY_RETURN_IF_ERROR(CheckConfig(config_));
  SKERRY_RETURN_IF_ERROR(OpenStores());
  SKERRY_RETURN_IF_ERROR(MakeDesk());
  SKERRY_RETURN_IF_ERROR(StartMappers());
  SKERRY_RETURN_IF_ERROR(StartFollower());
  p.pool = std::make_unique<exec::ThreadPool>("readings", 1, kReadsMax);
  p.service = std::make_unique<TwinServiceImpl>(*p.desk, p.watches, *p.readings, *p.methods,
                                                *p.pool, clock_);
  SKERRY_ASSIGN_OR_RETURN(
      p.server,
      rpc::Server::Create({.listen = config_.listen, .registry = &p.registry}, {p.service.get()}));
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  p.hub->Start();
  p.meta->Start();
  p.server->SetServing(true);
  p.dmi_server->SetServing(true);
  p.serving->Set(true);
  log_.Info("serving", {{"address", p.server->address()}, {"dmi", p.dmi_server->address()}});
  return absl::OkStatus();
}

absl::Status TwinApp::OpenStores() {
  Parts& p = *parts_;
  sqlite::Environment environment;
  environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("the store is damaged: this service ends, and its next start repairs it", status);
    process::RequestStop();
  };
  const auto note = [this](const std::optional<sqlite::Repair>& repair, auto& counter) {
    if (!repair.has_value()) return;
    log_.Error("the store was damaged: what could be read is in a new one",
               {{"path", repair->set_aside},
                {"rows", repair->rows},
                {"incomplete", absl::StrJoin(repair->incomplete, ", ")}});
    counter.Increment();
  };
  p.metrics.store_bytes_max.Set(static_cast<double>(config_.size_bytes_max));
  p.metrics.waiting_bytes_max.Set(static_cast<double>(config_.waiting_bytes_max));
  p.metrics.readings_bytes_max.Set(static_cast<double>(config_.readings_bytes_max));
  const std::string path = config_.state_dir + "/twins.db";
  SKERRY_ASSIGN_OR_RETURN(
      p.store, SqliteTwinStore::Open(path,
                                     {.size_bytes_max = config_.size_bytes_max,
                                      .readings = {.bytes_max = config_.readings_bytes_max,
                                                   .age_max = config_.readings_age_max}},
                                     clock_, environment));
  SKERRY_ASSIGN_OR_RETURN(p.readings, ReadingLog::Open(path, environment));
  note(p.store->repair(), p.metrics.store_repairs);
  SKERRY_ASSIGN_OR_RETURN(p.mapper_store,
                          SqliteMapperStore::Open(config_.state_dir + "/mappers.db",
                                                  kMapperStoreBytesMax, environment));
  note(p.mapper_store->repair(), p.dmi_metrics.store_repairs);
  return absl::OkStatus();
}

absl::Status TwinApp::StartMappers() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(
      p.mappers, MapperDesk::Create({.mappers_max = static_cast<size_t>(config_.mappers_max),
                                     .call_timeout = config_.mapper_call_timeout,
                                     .away_after = config_.mappers_away_after},
                                    *p.mapper_store, *p.desk, clock_, p.dmi_metrics, log_));
  p.methods = std::make_unique<MethodCalls>(*p.mappers);
  p.states = std::make_unique<DeskStates>(*p.desk, clock_);
  p.dmi_service =
      std::make_unique<DmiServiceImpl>(*p.mappers, *p.desk, p.states.get(), clock_, p.dmi_metrics);
  SKERRY_ASSIGN_OR_RETURN(
      p.dmi_server, rpc::Server::Create({.listen = config_.dmi_listen, .registry = &p.registry},
                                        {p.dmi_service.get()}));
  return absl::OkStatus();
}

// What goes up follows what is committed; the hub's events come once it is started.
absl::Status TwinApp::MakeDesk() {
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(hubclient::HubDialer dialer,
                          hubclient::MakeHubDialer(config_.hub_address));
  const ReadingState readings = p.store->readings();  // From here on the store is the desk's.
  p.hub_executor = std::make_unique<exec::SerialExecutor>("hub", clock_);
  p.hub = std::make_unique<hubclient::HubClient>(
      hubclient::HubClient::Options{.spoke = "twin-svc",
                                    .report_types = {kTwinReports},
                                    .event_streams = {{.name = kReadingStream}},
                                    .command_types = {kMethodCommands},
                                    .reconnect_max = config_.hub_reconnect_max},
      std::move(dialer), *p.hub_executor,
      hubclient::HubEvents{
          .on_attached =
              [&p](bool) {
                p.forwarder->Wake();
                p.reporter->Wake();
              },
          .on_link_state = nullptr,
          .on_command =
              [&p](const hubclient::Command& command, hubclient::CommandDone done) {
                p.methods->Execute(command, std::move(done));
              }},
      p.hub_metrics, log_);
  SKERRY_ASSIGN_OR_RETURN(
      p.desk, TwinDesk::Create(
                  *p.store, {.waiting_bytes_max = static_cast<size_t>(config_.waiting_bytes_max)},
                  clock_, p.metrics, [&p](const std::vector<TwinEvent>& events) {
                    p.watches.Publish(events);
                    p.mappers->OnTwins(events);
                    p.reporter->OnEvents(events);
                    p.forwarder->Wake();
                  }));
  p.watches.SetDesk(*p.desk);
  p.forwarder = std::make_unique<ReadingForwarder>(
      ReadingForwarder::Options{.producer = readings.producer, .sent = readings.sent}, *p.readings,
      *p.hub, *p.hub_executor, [&p](uint64_t sequence) { p.desk->NoteReadingsSent(sequence); },
      p.metrics, log_);
  p.reporter =
      std::make_unique<TwinReporter>(TwinReporter::Options{.interval = config_.reports_interval},
                                     *p.desk, *p.hub, *p.hub_executor, clock_, p.metrics, log_);
  p.reporter->Changed(p.desk->TakeUnreported());
  return absl::OkStatus();
}

absl::Status TwinApp::StartFollower() {
  Parts& p = *parts_;
  p.executor = std::make_unique<exec::SerialExecutor>("devices", clock_);
  p.follower = std::make_unique<DeviceFollower>(
      *p.desk, clock_, p.metrics, log_, [](bool) {}, p.mappers.get());
  SKERRY_ASSIGN_OR_RETURN(
      p.meta, metaclient::MetaClient::Create({.address = config_.meta_address,
                                              .types = {kModels, kDevices},
                                              .reconnect_max = config_.meta_reconnect_max},
                                             *p.executor, *p.follower, log_));
  return absl::OkStatus();
}

void TwinApp::Drain(absl::Time deadline) {
  Parts& p = *parts_;
  if (p.server == nullptr) return;
  p.serving->Set(false);
  p.server->SetServing(false);
  p.dmi_server->SetServing(false);
  p.mappers->Drain();
  p.watches.CloseAll(
      Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("DRAINING"));
  p.server->Shutdown(deadline);
  p.dmi_server->Shutdown(deadline);
}

void TwinApp::Stop() {
  Parts& p = *parts_;
  p.ops.reset();
  if (p.meta != nullptr) p.meta->Close();
  // The servers wait for their calls, which wait for mappers, the desk and the pool.
  if (p.mappers != nullptr) p.mappers->Stop();
  p.server.reset();
  p.dmi_server.reset();
  p.pool.reset();
  p.meta.reset();
  if (p.executor != nullptr) p.executor->Stop();
  if (p.hub != nullptr) p.hub->Stop();
  if (p.hub_executor != nullptr) p.hub_executor->Stop();
  // It tells the last commits to those that go after it.
  p.desk.reset();
  p.reporter.reset();
  p.forwarder.reset();
  p.service.reset();
  p.dmi_service.reset();
  p.states.reset();
  p.methods.reset();
  p.hub.reset();
  p.hub_executor.reset();
  p.follower.reset();
  p.executor.reset();
  p.mappers.reset();
  p.mapper_store.reset();
  p.readings.reset();
  p.store.reset();
}

process::Readiness& TwinApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> TwinApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->server != nullptr) addresses["api"] = parts_->server->address();
  if (parts_->dmi_server != nullptr) addresses["dmi"] = parts_->dmi_server->address();
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  return addresses;
}

}  // namespace skerry::twin
