#include "services/twin-svc/app.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/process/readiness.h"
#include "services/lib/rpc/server.h"
#include "services/lib/security/files.h"
#include "services/lib/sqlite/storage.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/dmi_service.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/device_follower.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/service.h"
#include "services/twin-svc/store/sqlite_mapper_store.h"
#include "services/twin-svc/store/sqlite_twin_store.h"
#include "services/twin-svc/twin_watches.h"

namespace skerry::twin {
namespace {

constexpr int64_t kMapperStoreBytesMax = 64 << 20;  // Some hundred bytes a device.

}  // namespace

// In order of construction; destroyed in reverse.
struct TwinApp::Parts {
  metrics::Registry registry{"twin-svc"};
  TwinMetrics metrics{registry};
  DmiMetrics dmi_metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> serving;
  std::unique_ptr<SqliteTwinStore> store;
  std::unique_ptr<SqliteMapperStore> mapper_store;
  TwinWatches watches{metrics};
  std::unique_ptr<TwinDesk> desk;
  std::unique_ptr<MapperDesk> mappers;
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
  SKERRY_RETURN_IF_ERROR(OpenStores());
  SKERRY_ASSIGN_OR_RETURN(
      p.desk, TwinDesk::Create(
                  *p.store, {.waiting_bytes_max = static_cast<size_t>(config_.waiting_bytes_max)},
                  clock_, p.metrics, [&p](const std::vector<TwinEvent>& events) {
                    p.watches.Publish(events);
                    p.mappers->OnTwins(events);
                  }));
  p.watches.SetDesk(*p.desk);
  SKERRY_RETURN_IF_ERROR(StartMappers());
  SKERRY_RETURN_IF_ERROR(StartFollower());
  p.service = std::make_unique<TwinServiceImpl>(*p.desk, p.watches, clock_);
  SKERRY_ASSIGN_OR_RETURN(
      p.server,
      rpc::Server::Create({.listen = config_.listen, .registry = &p.registry}, {p.service.get()}));
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
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
  SKERRY_ASSIGN_OR_RETURN(p.store, SqliteTwinStore::Open(config_.state_dir + "/twins.db",
                                                         config_.size_bytes_max, environment));
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
                                     .call_timeout = config_.mapper_call_timeout},
                                    *p.mapper_store, *p.desk, clock_, p.dmi_metrics, log_));
  p.dmi_service =
      std::make_unique<DmiServiceImpl>(*p.mappers, *p.desk, nullptr, clock_, p.dmi_metrics);
  SKERRY_ASSIGN_OR_RETURN(
      p.dmi_server, rpc::Server::Create({.listen = config_.dmi_listen, .registry = &p.registry},
                                        {p.dmi_service.get()}));
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
  // The servers wait for their calls, which wait for mappers and for the desk.
  if (p.mappers != nullptr) p.mappers->Stop();
  p.server.reset();
  p.dmi_server.reset();
  p.meta.reset();
  if (p.executor != nullptr) p.executor->Stop();
  p.desk.reset();
  p.service.reset();
  p.dmi_service.reset();
  p.follower.reset();
  p.executor.reset();
  p.mappers.reset();
  p.mapper_store.reset();
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
