#include "services/edged-svc/app.h"

#include <grpcpp/impl/service_type.h>

#include <optional>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/edged-svc/adapters/cgroup_usage.h"
#include "services/edged-svc/adapters/cri_runtime.h"
#include "services/edged-svc/adapters/edgehub_spoke.h"
#include "services/edged-svc/adapters/handlers.h"
#include "services/edged-svc/adapters/machine.h"
#include "services/edged-svc/adapters/meta_reports.h"
#include "services/edged-svc/adapters/metered_runtime.h"
#include "services/edged-svc/adapters/pod_folders.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/docker/docker_runtime.h"
#include "services/edged-svc/kubelet/kubelet_server.h"
#include "services/edged-svc/metrics.h"
#include "services/edged-svc/node_limits.h"
#include "services/edged-svc/runner/event_recorder.h"
#include "services/edged-svc/runner/image_collector.h"
#include "services/edged-svc/runner/log_rotator.h"
#include "services/edged-svc/runner/meta_events.h"
#include "services/edged-svc/runner/node_reporter.h"
#include "services/edged-svc/runner/object_cache.h"
#include "services/edged-svc/runner/periodic.h"
#include "services/edged-svc/runner/pod_manager.h"
#include "services/edged-svc/runner/relister.h"
#include "services/edged-svc/runner/runtime_health.h"
#include "services/edged-svc/service.h"
#include "services/edged-svc/store/sqlite_checkpoint_store.h"
#include "services/edged-svc/streaming/stream_metrics.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metaclient/meta_client.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/process/run.h"
#include "services/lib/rpc/server.h"
#include "services/lib/security/files.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/failure_metrics.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edged {
namespace {

constexpr size_t kStepQueue = 1024;
// Each tunnel has at most one piece of work in it.
constexpr size_t kStreamQueue = 128;
constexpr size_t kStreamThreads = 2;
constexpr size_t kLookQueue = 16;  // Of calls that ask what pods use.
constexpr absl::Duration kCopyInterval = absl::Hours(1);
constexpr absl::Duration kNodePeriod = absl::Seconds(10);

std::string MakeInstance() {
  absl::BitGen random;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(random));
}

}  // namespace

// In start order: each uses those above it. Stopped in reverse, see Stop.
struct EdgedApp::Parts {
  explicit Parts(Clock& clock)
      : registry("edged-svc"),
        metrics(registry),
        stream_metrics(registry),
        recorder(MakeInstance(), clock, metrics),
        executor("edged", clock) {}

  metrics::Registry registry;
  EdgedMetrics metrics;
  StreamMetrics stream_metrics;  // At 0 where the runtime serves its streams itself.
  std::unique_ptr<metrics::OpsServer> ops;
  EventRecorder recorder;
  exec::SerialExecutor executor;  // Events of the store, reports, timers.
  std::unique_ptr<SqliteCheckpointStore> checkpoints;
  std::unique_ptr<PodFolders> folders;
  ObjectCache objects;
  std::unique_ptr<exec::ThreadPool> steps, streams;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<Handlers> handlers;
  std::unique_ptr<MetaEvents> events;
  std::unique_ptr<metaclient::MetaClient> meta;
  std::unique_ptr<MetaReports> reports;
  std::unique_ptr<PodManager> pods;
  std::unique_ptr<ImageCollector> images;
  std::unique_ptr<NodeReporter> node;
  std::unique_ptr<RuntimeHealth> health;
  std::unique_ptr<Relister> relister;
  std::unique_ptr<LogRotator> logs;
  std::unique_ptr<Periodic> copies, image_gc, log_rotation;
  std::unique_ptr<KubeletServer> kubelet;
  std::unique_ptr<EdgehubSpoke> spoke;
  std::unique_ptr<exec::ThreadPool> looks;
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<rpc::Server> server;
};

EdgedApp::EdgedApp(EdgedConfig config, Clock& clock, log::Logger log)
    : config_(std::move(config)),
      clock_(clock),
      log_(std::move(log)),
      serving_(readiness_.Register("serving")),
      runtime_ready_(readiness_.Register("container runtime")),
      meta_synced_(readiness_.Register("edge-meta-svc")) {
  FillDefaults(config_);
}

EdgedApp::~EdgedApp() { Stop(); }

absl::Status EdgedApp::Start() {
  parts_ = std::make_unique<Parts>(clock_);
  Parts& p = *parts_;
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [this] { return readiness_.WaitingFor(); }));
  // Volumes and logs are for root, and for containers through their mounts.
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.state_dir, 0700));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.run_dir, 0750));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.root_dir + "/pods", 0750));
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(config_.pod_log_dir, 0750));
  SKERRY_RETURN_IF_ERROR(OpenCheckpoints());
  SKERRY_RETURN_IF_ERROR(StartMeta());
  SKERRY_RETURN_IF_ERROR(StartPods());
  SKERRY_RETURN_IF_ERROR(StartStreams());
  SKERRY_RETURN_IF_ERROR(StartServer());
  StartUpkeep();
  TellStart();
  p.relister->Start();
  p.health->Start();
  p.meta->Start();
  p.spoke->Start();
  serving_->Set(true);
  return absl::OkStatus();
}

absl::Status EdgedApp::StartMeta() {
  Parts& p = *parts_;
  p.events = std::make_unique<MetaEvents>(p.objects, p.metrics, log_,
                                          [this](bool synced) { meta_synced_->Set(synced); });
  SKERRY_ASSIGN_OR_RETURN(
      p.meta, metaclient::MetaClient::Create(
                  {.address = config_.meta_address,
                   .types = {"pods", "configmaps", "secrets", "serviceaccounts", "nodes"},
                   .reconnect_max = config_.meta_reconnect_max},
                  p.executor, *p.events, log_));
  p.reports = std::make_unique<MetaReports>(*p.meta);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Runtime>> EdgedApp::MakeRuntime() {
  if (config_.runtime_kind != "docker") {
    return CriRuntime::Create({.endpoint = config_.runtime_endpoint,
                               .image_endpoint = config_.image_endpoint,
                               .sandbox_image = config_.sandbox_image});
  }
  return DockerRuntime::Create({.endpoint = config_.runtime_endpoint,
                                .sandbox_image = config_.sandbox_image,
                                .restrict_oom_score_adj = config_.restrict_oom_score_adj,
                                .pulled_images_path = config_.state_dir + "/pulled_images",
                                .registry = &parts_->registry},
                               clock_, log_);
}

absl::Status EdgedApp::StartPods() {
  Parts& p = *parts_;
  p.folders = std::make_unique<PodFolders>(config_.root_dir, config_.pod_log_dir);
  p.steps =
      std::make_unique<exec::ThreadPool>("pods", static_cast<size_t>(config_.workers), kStepQueue);
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<Runtime> runtime, MakeRuntime());
  p.runtime = std::make_unique<MeteredRuntime>(std::move(runtime), p.metrics, clock_);
  p.handlers = std::make_unique<Handlers>(*p.runtime, p.executor);

  const NodeFacts machine = ReadMachine(config_.root_dir, "");
  const std::string address = config_.node_address.empty() ? FindAddress() : config_.node_address;
  WorkerDeps deps{*p.runtime,  *p.folders, *p.checkpoints, p.objects,
                  *p.handlers, p.recorder, clock_,         log_};
  deps.node = {machine.cpus * 1000, machine.memory_bytes, machine.storage_bytes};
  deps.node_name = config_.node_name;
  if (config_.runtime_kind == "docker") deps.runtime_name = "docker";
  deps.host_address = address;
  deps.cgroup_parent = config_.cgroup_parent;
  deps.seccomp_folder = config_.root_dir + "/seccomp";
  deps.cluster_dns.servers = config_.dns_servers;
  if (!config_.dns_domain.empty()) deps.cluster_dns.searches = {config_.dns_domain};
  deps.remove_cgroup = RemoveCgroup;
  p.pods = std::make_unique<PodManager>(std::move(deps),
                                        PodManager::Options{static_cast<size_t>(config_.pods_max)},
                                        *p.steps, p.executor, *p.reports, p.metrics);
  SKERRY_ASSIGN_OR_RETURN(std::vector<PodCheckpoint> checkpoints, p.checkpoints->Load());
  p.pods->Restore(std::move(checkpoints));

  p.images = std::make_unique<ImageCollector>(
      *p.runtime, clock_,
      ImageGcPolicy{config_.image_gc_high_threshold_percent, config_.image_gc_low_threshold_percent,
                    config_.image_gc_age_min},
      ImageCollector::Sources{ReadDisk, [&p] { return p.pods->Images(); }}, config_.node_name,
      p.recorder, p.metrics, log_);

  NodeReporter::Options node;
  node.name = config_.node_name;
  node.version = BuildVersion();
  node.limits = NodeLimitsOf(config_);
  p.node = std::make_unique<NodeReporter>(node, clock_, p.recorder,
                                          [&p](const std::string& name, const std::string& value) {
                                            p.reports->ReportNode(name, value);
                                          });
  RuntimeHealth::Options health;
  health.period = kNodePeriod;
  p.health = std::make_unique<RuntimeHealth>(
      *p.runtime, clock_, health,
      [this, &p, address](const RuntimeHealth::State& state, bool force) {
        NodeFacts facts = ReadMachine(config_.root_dir, p.images->folder());
        facts.hostname = config_.node_name;
        if (!address.empty()) facts.addresses = {address};
        facts.runtime_name = state.name;
        facts.runtime_version = state.version;
        facts.runtime_ready = state.ready;
        facts.runtime_message = state.message;
        p.node->Tick(facts, force);
        runtime_ready_->Set(state.ready);
      });
  p.relister = std::make_unique<Relister>(
      *p.runtime, clock_, config_.relist_period,
      [&p](uint64_t number, absl::StatusOr<std::vector<PodView>> pods, absl::Duration latency) {
        p.metrics.Relisted(pods.ok(), latency);
        p.health->Relisted(pods.status());
        if (pods.ok()) p.pods->Relisted(number, *std::move(pods));
      });
  p.pods->SetRelist([&p] {
    const uint64_t number = p.relister->NextNumber();
    p.relister->Kick();
    return number;
  });
  p.events->SetTargets(p.pods.get(), [&p] { p.health->ReportNow(); });
  return absl::OkStatus();
}

absl::Status EdgedApp::OpenCheckpoints() {
  Parts& p = *parts_;
  sqlite::Environment environment;
  environment.on_failure = sqlite::CountFailures(p.registry);
  environment.on_damage = [log = log_](const absl::Status& status) {
    log.Error("the checkpoints are damaged: this service ends, and its next start repairs them",
              status);
    process::RequestStop();
  };
  SKERRY_ASSIGN_OR_RETURN(
      p.checkpoints, SqliteCheckpointStore::Open(config_.state_dir + "/edged.db", environment));
  const std::optional<sqlite::Repair> repair = p.checkpoints->repair();
  if (!repair.has_value()) return absl::OkStatus();
  p.metrics.StoreRepaired();
  log_.Error("the checkpoints were damaged: what could be read, and was in the last copy, goes on",
             {{"path", repair->set_aside},
              {"rows", repair->rows},
              {"lost", "the latest restart counts and ends of pods that no container tells of"}});
  return absl::OkStatus();
}

void EdgedApp::StartUpkeep() {
  Parts& p = *parts_;
  p.copies = std::make_unique<Periodic>("copies", clock_, kCopyInterval, [this, &p] {
    const absl::Status copied = p.checkpoints->WriteCopy();
    if (!copied.ok()) log_.Warning("the checkpoints can't be copied", copied);
  });
  p.image_gc = std::make_unique<Periodic>("images", clock_, config_.image_gc_interval,
                                          [&p] { p.images->Run(); });
  if (config_.container_log_bytes_max == 0) return;
  p.logs = std::make_unique<LogRotator>(
      *p.runtime, clock_,
      LogRotator::Options{config_.container_log_bytes_max, config_.container_log_files_max},
      p.metrics, log_);
  p.log_rotation = std::make_unique<Periodic>("logs", clock_, config_.container_log_interval,
                                              [&p] { p.logs->Run(); });
}

void EdgedApp::TellStart() {
  const EventTarget about = AboutNode(config_.node_name);
  parts_->recorder.Record(about, EventType::kNormal, "Starting", "Starting edged.");
  const std::string boot_id = ReadMachine(config_.root_dir, "").boot_id;
  const std::string path = config_.state_dir + "/boot_id";
  const absl::StatusOr<std::string> before = security::ReadSmallFile(path);
  if (before.ok() && *before == boot_id) return;
  if (before.ok()) {
    parts_->recorder.Record(
        about, EventType::kWarning, "Rebooted",
        absl::StrCat("Node ", config_.node_name, " has been rebooted, boot id: ", boot_id));
  }
  if (absl::Status written = security::WriteFileAtomically(path, boot_id, 0600); !written.ok())
    log_.Warning("the boot id can't be remembered", written, {{"path", path}});
}

absl::Status EdgedApp::StartStreams() {
  Parts& p = *parts_;
  p.streams = std::make_unique<exec::ThreadPool>("streams", kStreamThreads, kStreamQueue);
  p.kubelet = std::make_unique<KubeletServer>(
      KubeletServer::Deps{*p.runtime, *p.folders, *p.streams, p.executor, clock_, log_},
      [&p](const std::string& key) { return p.pods->Find(key); });
  SKERRY_ASSIGN_OR_RETURN(
      p.spoke,
      EdgehubSpoke::Create(
          {config_.edgehub_address, config_.meta_reconnect_max}, p.recorder, p.executor,
          [&p](std::shared_ptr<pipe::ByteStream> tunnel) { p.kubelet->Serve(std::move(tunnel)); },
          log_));
  return absl::OkStatus();
}

absl::Status EdgedApp::StartServer() {
  Parts& p = *parts_;
  p.looks = std::make_unique<exec::ThreadPool>("looks", 1, kLookQueue);
  EdgedAnswers answers;
  answers.fill = [&p](v1::EdgedStatus& out) {
    for (const PodManager::PodSummary& pod : p.pods->Summaries()) {
      v1::EdgedStatus::Pod* added = out.add_pods();
      added->set_key(pod.key);
      added->set_uid(pod.uid);
      added->set_phase(pod.phase);
      added->set_message(pod.message);
      added->set_restarts(pod.restarts);
    }
    const RuntimeHealth::State state = p.health->state();
    out.set_runtime_ready(state.ready);
    out.set_runtime(state.name.empty() ? "" : absl::StrCat(state.name, " ", state.version));
    out.set_meta_synced(p.pods->synced());
  };
  answers.pods = [&p] { return p.pods->Summaries(); };
  answers.usage = [this](const std::string& cgroup) {
    return ReadCgroupUsage("/sys/fs/cgroup", cgroup, clock_.Now());
  };
  p.service = MakeEdgedService(std::move(answers), *p.looks);
  rpc::ServerOptions options;
  options.listen = config_.listen;
  options.registry = &p.registry;
  SKERRY_ASSIGN_OR_RETURN(p.server, rpc::Server::Create(options, {p.service.get()}));
  p.server->SetServing(true);
  return absl::OkStatus();
}

void EdgedApp::Drain(absl::Time deadline) {
  if (parts_ == nullptr) return;
  if (parts_->server != nullptr) {
    parts_->server->SetServing(false);
    parts_->server->Shutdown(deadline);
  }
  if (parts_->pods != nullptr) parts_->pods->Stop();
}

void EdgedApp::Stop() {
  if (parts_ == nullptr) return;
  Parts& p = *parts_;
  serving_->Set(false);
  p.server.reset();
  if (p.spoke != nullptr) p.spoke->Stop();
  if (p.pods != nullptr) p.pods->Stop();
  if (p.meta != nullptr) p.meta->Close();  // Nothing asks the health for a report from here on.
  if (p.runtime != nullptr) p.runtime->EndCalls();  // What follows waits for who makes them.
  p.copies.reset();
  p.log_rotation.reset();
  p.image_gc.reset();
  p.relister.reset();
  p.health.reset();
  p.meta.reset();
  if (p.steps != nullptr) p.steps->Stop();
  if (p.streams != nullptr) p.streams->Stop();
  p.executor.Stop();
  p.handlers.reset();
  p.runtime.reset();  // Ends what is in flight; its callbacks still find the pods.
  p.pods.reset();
  parts_.reset();
}

std::map<std::string, std::string> EdgedApp::addresses() const {
  std::map<std::string, std::string> out;
  if (parts_ == nullptr) return out;
  if (parts_->server != nullptr) out["api"] = parts_->server->address();
  if (parts_->ops != nullptr) out["ops"] = parts_->ops->address();
  return out;
}

}  // namespace skerry::edged
