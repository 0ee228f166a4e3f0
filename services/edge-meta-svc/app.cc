#include "services/edge-meta-svc/app.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/edge-meta-svc/adapters/edgehub_dialer.h"
#include "services/edge-meta-svc/adapters/hub_spoke.h"
#include "services/edge-meta-svc/metrics.h"
#include "services/edge-meta-svc/service.h"
#include "services/edge-meta-svc/store/sqlite_meta_store.h"
#include "services/edge-meta-svc/watch_server.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/process/readiness.h"
#include "services/lib/process/run.h"
#include "services/lib/rpc/server.h"

namespace skerry::edgemeta {
namespace {

// Unary calls wait for the disk, not for the processor.
constexpr size_t kPoolThreads = 2;
constexpr size_t kPoolQueueMax = 256;
constexpr absl::Duration kFirstCopyAfter = absl::Minutes(1);  // Not while the box boots.
constexpr absl::Duration kCopyInterval = absl::Hours(1);

absl::Status MakeFolder(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return absl::OkStatus();
  return InvalidField("folder", path, absl::StrCat("create it (", strerror(errno), ")"));
}

}  // namespace

// In order of construction; destroyed in reverse.
struct MetaApp::Parts {
  metrics::Registry registry{"edge-meta-svc"};
  MetaMetrics metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> serving;
  std::unique_ptr<SqliteMetaStore> store;
  std::unique_ptr<exec::ThreadPool> pool;
  std::unique_ptr<exec::SerialExecutor> executor;
  std::unique_ptr<WatchServer> watches;
  std::unique_ptr<HubSpoke> spoke;
  std::unique_ptr<MetaServiceImpl> service;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<metrics::OpsServer> ops;
};

MetaApp::MetaApp(MetaConfig config, Clock& clock, log::Logger log)
    : config_(WithAddresses(std::move(config))),
      clock_(clock),
      log_(std::move(log)),
      parts_(std::make_unique<Parts>()) {}

MetaConfig MetaApp::WithAddresses(MetaConfig config) {
  FillAddresses(config);
  return config;
}

MetaApp::~MetaApp() { Stop(); }

absl::Status MetaApp::Start() {
  Parts& p = *parts_;
  p.serving = p.readiness.Register("edge-meta-svc serving");
  SKERRY_RETURN_IF_ERROR(MakeFolder(config_.run_dir, 0750));
  SKERRY_RETURN_IF_ERROR(MakeFolder(config_.state_dir, 0700));
  SqliteMetaStoreOptions options{
      .path = config_.state_dir + "/edge-meta.db",
      .key_path = config_.state_dir + "/edge-meta.key",
      .sealed_types = {config_.sealed_types.begin(), config_.sealed_types.end()},
      .log_entries_max = config_.log_entries_max,
      .log_bytes_max = config_.log_bytes_max,
      .report_bytes_max = config_.report_bytes_max,
      .size_bytes_max = config_.size_bytes_max};
  options.environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("the store is damaged: this service ends, and its next start repairs it", status);
    process::RequestStop();
  };
  SKERRY_ASSIGN_OR_RETURN(p.store, SqliteMetaStore::Open(options));
  const OpenNotes& notes = p.store->notes();
  if (notes.repair.has_value()) {
    log_.Error(
        "the store was damaged: what could be read, and was in the last copy, is in a new one",
        {{"path", notes.repair->set_aside},
         {"rows", notes.repair->rows},
         {"incomplete", absl::StrJoin(notes.repair->incomplete, ", ")},
         {"from_copy", absl::StrJoin(notes.repair->from_copy, ", ")}});
    p.metrics.store_repairs.Increment();
  }
  if (notes.dropped_objects > 0) {
    log_.Error("encrypted objects lost their key; the cloud sends them again",
               {{"objects", notes.dropped_objects}});
  }
  p.metrics.store_bytes_max.Set(static_cast<double>(config_.size_bytes_max));
  p.metrics.revision.Set(static_cast<double>(p.store->Revision()));
  p.metrics.store_bytes.Set(static_cast<double>(p.store->SizeBytes()));

  p.pool = std::make_unique<exec::ThreadPool>("meta-pool", kPoolThreads, kPoolQueueMax);
  p.executor = std::make_unique<exec::SerialExecutor>("meta", clock_);
  p.watches = std::make_unique<WatchServer>(
      WatchServer::Options{static_cast<size_t>(config_.watch_queue_bytes_max),
                           config_.bookmark_interval},
      *p.store, *p.executor, clock_, p.metrics);
  SKERRY_ASSIGN_OR_RETURN(HubDialer dialer, MakeEdgehubDialer(config_.edgehub_address));
  auto publish = [&p](std::vector<watch::Change> changes) {
    p.metrics.store_bytes.Set(static_cast<double>(p.store->SizeBytes()));
    p.watches->Publish(std::move(changes));
  };
  p.spoke = std::make_unique<HubSpoke>(HubSpoke::Options{.resource_types = config_.resource_types,
                                                         .report_types = config_.report_types,
                                                         .reconnect_max = config_.reconnect_max},
                                       std::move(dialer), *p.store, *p.executor, clock_, publish,
                                       p.metrics, log_);
  p.service = std::make_unique<MetaServiceImpl>(
      MetaServiceImpl::Types{config_.resource_types,
                             {config_.report_types.begin(), config_.report_types.end()}},
      MetaServiceImpl::Neighbours{[&p] { p.spoke->ReportsChanged(); },
                                  [&p] { return p.spoke->attached(); },
                                  [&p](absl::string_view type) { return p.spoke->Behind(type); }},
      *p.store, *p.watches, *p.pool, clock_, p.metrics);
  SKERRY_ASSIGN_OR_RETURN(
      p.server,
      rpc::Server::Create({.listen = config_.listen, .registry = &p.registry}, {p.service.get()}));
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  p.executor->PostAfter(kFirstCopyAfter, [this] { WriteCopy(); });
  p.spoke->Start();
  p.server->SetServing(true);
  p.serving->Set(true);
  log_.Info("serving", {{"address", p.server->address()}, {"revision", p.store->Revision()}});
  return absl::OkStatus();
}

void MetaApp::WriteCopy() {
  const absl::Status copied = parts_->store->WriteCopy();
  if (!copied.ok()) log_.Warning("the store can't be copied", copied);
  parts_->executor->PostAfter(kCopyInterval, [this] { WriteCopy(); });
}

void MetaApp::Drain(absl::Time deadline) {
  Parts& p = *parts_;
  if (p.server == nullptr) return;
  p.serving->Set(false);
  p.server->SetServing(false);
  p.watches->CloseAll(
      Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("DRAINING"));
  p.server->Shutdown(deadline);
}

void MetaApp::Stop() {
  Parts& p = *parts_;
  p.ops.reset();
  p.server.reset();
  if (p.pool != nullptr) p.pool->Stop();
  if (p.spoke != nullptr) p.spoke->Stop();
  if (p.executor != nullptr) p.executor->Stop();
  p.service.reset();
  p.spoke.reset();
  p.watches.reset();
  p.executor.reset();
  p.pool.reset();
  p.store.reset();
}

process::Readiness& MetaApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> MetaApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->server != nullptr) addresses["api"] = parts_->server->address();
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  return addresses;
}

}  // namespace skerry::edgemeta
