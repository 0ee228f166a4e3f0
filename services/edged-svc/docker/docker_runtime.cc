// In one piece: every method is one or two calls of Docker, over the same engine.
#include "services/edged-svc/docker/docker_runtime.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/docker_bodies.h"
#include "services/edged-svc/core/docker_log.h"
#include "services/edged-svc/core/docker_views.h"
#include "services/edged-svc/docker/container_process.h"
#include "services/edged-svc/docker/container_table.h"
#include "services/edged-svc/docker/docker_images.h"
#include "services/edged-svc/docker/docker_streams.h"
#include "services/edged-svc/docker/engine.h"
#include "services/edged-svc/docker/log_copier.h"
#include "services/edged-svc/streaming/stream_server.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

// As those of the CRI runtime.
constexpr absl::Duration kCallTimeout = absl::Minutes(2);
constexpr absl::Duration kSandboxTimeout = absl::Minutes(4);
constexpr absl::Duration kListTimeout = absl::Seconds(30);
constexpr absl::Duration kStatusTimeout = absl::Seconds(5);
constexpr size_t kExecOutputMax = 64 << 10;
constexpr size_t kSeccompBytesMax = 1 << 20;

absl::Status OkIfNotFound(absl::Status status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

EngineRequest Get(std::string target) {
  return {.target = std::move(target), .timeout = kListTimeout};
}
EngineRequest Post(std::string target, std::string body = "",
                   absl::Duration timeout = kCallTimeout) {
  return {
      .method = "POST", .target = std::move(target), .body = std::move(body), .timeout = timeout};
}
EngineRequest Delete(std::string target) {
  return {.method = "DELETE", .target = std::move(target), .timeout = kCallTimeout};
}

// Docker takes the profile itself, not its path.
absl::StatusOr<std::string> ReadSeccomp(const ContainerConfig& config) {
  if (config.security.seccomp_type != "Localhost") return "";
  std::ifstream in(config.seccomp_profile);
  std::string profile(kSeccompBytesMax + 1, '\0');
  in.read(profile.data(), static_cast<std::streamsize>(profile.size()));
  profile.resize(static_cast<size_t>(in.gcount()));
  if (profile.empty() || profile.size() > kSeccompBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("seccomp profile ", config.seccomp_profile,
                              profile.empty() ? " can't be read" : " is larger than 1 MiB"))
        .Reason("SECCOMP_PROFILE_INVALID");
  }
  return profile;
}

}  // namespace

struct DockerRuntime::Impl {
  Impl(const DockerOptions& given, const std::string& socket, Clock& clock, log::Logger logger)
      : options(given),
        log(std::move(logger)),
        log_engine(socket, "docker-logs"),
        engine(socket, "docker"),
        logs(log_engine,
             [this](const LogCopier::Log& of, const absl::Status& status) {
               log.Warning("container log not copied", status,
                           {{"container_id", of.id}, {"path", of.path}});
             }),
        table(engine, logs, clock, options.owner, kLogWait),
        streams(engine),
        images(engine, log_engine,
               {options.sandbox_image.empty() ? kSandboxImage : options.sandbox_image,
                options.pulled_images_path},
               log) {}

  absl::StatusOr<DockerInfo> Info(absl::Duration timeout);
  absl::StatusOr<DockerFacts> Facts();
  // Makes a container; one of that name whose answer was lost is replaced unless it runs.
  absl::StatusOr<std::string> Create(const std::string& name, const std::string& body);

  DockerOptions options;
  const log::Logger log;
  // What is written to the disk has a thread of its own: one that is slow holds up no call. Ends
  // after `engine`, whose calls use it.
  DockerEngine log_engine, engine;
  LogCopier logs;
  ContainerTable table;
  DockerStreams streams;
  DockerImages images;
  std::unique_ptr<StreamServer> server;

  absl::Mutex mutex;
  std::optional<DockerFacts> facts ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<std::unique_ptr<DockerRuntime>> DockerRuntime::Create(const DockerOptions& options,
                                                                     Clock& clock,
                                                                     log::Logger log) {
  absl::string_view socket = options.endpoint;
  if (!absl::ConsumePrefix(&socket, "unix://") || !absl::StartsWith(socket, "/") ||
      socket.size() > 100) {
    return InvalidField("runtime.endpoint", options.endpoint,
                        "use Docker's Unix socket, as in unix:///run/docker.sock");
  }
  auto impl = std::make_unique<Impl>(options, std::string(socket), clock, log);
  SKERRY_ASSIGN_OR_RETURN(impl->server,
                          StreamServer::Create({}, {impl->streams, clock, log, options.registry}));
  return std::unique_ptr<DockerRuntime>(new DockerRuntime(std::move(impl)));
}

DockerRuntime::DockerRuntime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DockerRuntime::~DockerRuntime() = default;

absl::StatusOr<DockerInfo> DockerRuntime::Impl::Info(absl::Duration timeout) {
  SKERRY_ASSIGN_OR_RETURN(const std::string answer,
                          engine.Call({.target = "/info", .timeout = timeout}));
  SKERRY_ASSIGN_OR_RETURN(DockerInfo info, ParseDockerInfo(answer));
  info.facts.restrict_oom_score_adj = options.restrict_oom_score_adj;
  absl::MutexLock lock(&mutex);
  facts = info.facts;
  return info;
}

absl::StatusOr<DockerFacts> DockerRuntime::Impl::Facts() {
  {
    absl::MutexLock lock(&mutex);
    if (facts.has_value()) return *facts;
  }
  SKERRY_ASSIGN_OR_RETURN(const DockerInfo info, Info(kListTimeout));
  return info.facts;
}

absl::StatusOr<RuntimeStatus> DockerRuntime::Status() {
  SKERRY_ASSIGN_OR_RETURN(const DockerInfo info, impl_->Info(kStatusTimeout));
  RuntimeStatus status;
  status.name = "docker";
  status.version = info.version;
  status.ready = status.network_ready = true;  // It has no other state in which it answers.
  return status;
}

absl::StatusOr<std::vector<PodView>> DockerRuntime::ListPods() { return impl_->table.Pods(); }

absl::StatusOr<std::string> DockerRuntime::Impl::Create(const std::string& name,
                                                        const std::string& body) {
  const EngineRequest request =
      Post(absl::StrCat("/containers/create?name=", EscapeForTarget(name)), body, kSandboxTimeout);
  absl::StatusOr<std::string> answer = engine.Call(request);
  if (absl::IsAborted(answer.status())) {
    // Not forced: one that runs stays, and the next list tells of it.
    SKERRY_RETURN_IF_ERROR(OkIfNotFound(
        engine.Call(Delete(absl::StrCat("/containers/", EscapeForTarget(name)))).status()));
    answer = engine.Call(request);
  }
  SKERRY_RETURN_IF_ERROR(answer.status());
  return ParseDockerId(*answer);
}

absl::StatusOr<std::string> DockerRuntime::RunSandbox(const SandboxConfig& config) {
  SKERRY_ASSIGN_OR_RETURN(const DockerFacts facts, impl_->Facts());
  SKERRY_RETURN_IF_ERROR(impl_->images.EnsureSandboxImage());
  SKERRY_ASSIGN_OR_RETURN(
      std::string id,
      impl_->Create(SandboxName(config), SandboxBody(config, impl_->images.sandbox_image(),
                                                     impl_->options.owner, facts)));
  const absl::Status started =
      impl_->engine.Call(Post(absl::StrCat("/containers/", id, "/start"), "", kSandboxTimeout))
          .status();
  if (started.ok()) return id;
  (void)RemoveContainer(id);  // The failure that counts is the start's.
  return started;
}

absl::Status DockerRuntime::StopSandbox(absl::string_view id) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DockerListed> inside, impl_->table.List(id));
  for (const DockerListed& container : inside) {
    if (container.state != ContainerView::State::kRunning) continue;
    const absl::Status killed =
        impl_->engine.Call(Post(absl::StrCat("/containers/", container.id, "/kill"))).status();
    // 409: it has ended in between.
    if (!killed.ok() && !absl::IsAborted(killed)) SKERRY_RETURN_IF_ERROR(OkIfNotFound(killed));
  }
  return OkIfNotFound(
      impl_->engine.Call(Post(absl::StrCat("/containers/", id, "/stop?t=0"))).status());
}

absl::Status DockerRuntime::RemoveSandbox(absl::string_view id) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<DockerListed> inside, impl_->table.List(id));
  for (const DockerListed& container : inside)
    SKERRY_RETURN_IF_ERROR(RemoveContainer(container.id));
  return RemoveContainer(id);
}

absl::StatusOr<std::string> DockerRuntime::CreateContainer(absl::string_view sandbox_id,
                                                           const SandboxConfig& sandbox,
                                                           const ContainerConfig& config) {
  SKERRY_ASSIGN_OR_RETURN(const DockerFacts facts, impl_->Facts());
  SKERRY_ASSIGN_OR_RETURN(const std::string seccomp, ReadSeccomp(config));
  return impl_->Create(
      ContainerName(sandbox, config),
      ContainerBody(sandbox_id, sandbox, config, seccomp, impl_->options.owner, facts));
}

absl::Status DockerRuntime::StartContainer(absl::string_view id) {
  return impl_->engine.Call(Post(absl::StrCat("/containers/", id, "/start"))).status();
}

absl::Status DockerRuntime::RemoveContainer(absl::string_view id) {
  return OkIfNotFound(
      impl_->engine.Call(Delete(absl::StrCat("/containers/", id, "?force=1&v=1"))).status());
}

void DockerRuntime::StopContainer(absl::string_view id, absl::Duration grace, Done done) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(grace, absl::Seconds(1)));
  impl_->engine.Call(
      Post(absl::StrCat("/containers/", id, "/stop?t=", seconds), "", grace + kCallTimeout),
      [done = std::move(done)](absl::StatusOr<std::string> answer) mutable {
        done(OkIfNotFound(answer.status()));
      });
}

void DockerRuntime::Exec(absl::string_view id, const std::vector<std::string>& command,
                         absl::Duration timeout,
                         absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) {
  struct Run {
    std::string container_id, exec_id;
    DockerFrames frames;
    ExecResult result;
    absl::Status status;
    absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done;
  };
  auto run = std::make_shared<Run>();
  run->container_id = std::string(id);
  run->done = std::move(done);
  DockerEngine& engine = impl_->engine;
  const auto ended = [&engine, run](absl::Status status) {
    if (absl::IsDeadlineExceeded(status)) {
      // Docker does not end a command at a time limit.
      engine.Call(Get(absl::StrCat("/exec/", run->exec_id, "/json")),
                  [run](absl::StatusOr<std::string> answer) {
                    const absl::StatusOr<DockerExec> exec =
                        answer.ok() ? ParseDockerExec(*answer) : answer.status();
                    if (exec.ok() && exec->running) KillInside(run->container_id, exec->pid);
                  });
      return run->done(Error(absl::StatusCode::kDeadlineExceeded, "the command timed out")
                           .Reason("EXEC_TIMED_OUT"));
    }
    if (!run->status.ok()) status = run->status;
    if (!status.ok()) return run->done(status);
    AwaitExec(engine, run->exec_id, [run](absl::StatusOr<int32_t> code) {
      if (!code.ok()) return run->done(code.status());
      run->result.exit_code = *code;
      run->done(std::move(run->result));
    });
  };
  engine.Call(
      Post(absl::StrCat("/containers/", id, "/exec"), ExecBody(command, false, true, true, false),
           kListTimeout),
      [&engine, run, timeout, ended](absl::StatusOr<std::string> answer) {
        if (!answer.ok()) return run->done(answer.status());
        absl::StatusOr<std::string> exec_id = ParseDockerId(*answer);
        if (!exec_id.ok()) return run->done(exec_id.status());
        run->exec_id = *std::move(exec_id);
        engine.Read(
            Post(absl::StrCat("/exec/", run->exec_id, "/start"), ExecStartBody(false), timeout),
            [run](absl::string_view piece) {
              std::string& out = run->result.output;
              run->status = run->frames.Put(piece, [&](const auto& part) {
                absl::StrAppend(&out, part.bytes.substr(0, kExecOutputMax - out.size()));
              });
              return run->status.ok();
            },
            ended);
      });
}

absl::Status DockerRuntime::ReopenLog(absl::string_view id) { return impl_->logs.Reopen(id); }

absl::StatusOr<std::string> DockerRuntime::OpenStream(const StreamRequest& request) {
  return impl_->server->Add(request);
}

absl::StatusOr<std::optional<ImageView>> DockerRuntime::FindImage(absl::string_view image) {
  return impl_->images.Find(image);
}

void DockerRuntime::PullImage(absl::string_view image, std::vector<RegistryAuth> auths, Done done) {
  impl_->images.Pull(image, std::move(auths), std::move(done));
}

absl::StatusOr<std::vector<StoredImage>> DockerRuntime::ListImages() {
  return impl_->images.List();
}

absl::Status DockerRuntime::RemoveImage(absl::string_view id) { return impl_->images.Remove(id); }

absl::StatusOr<std::string> DockerRuntime::ImageFolder() {
  SKERRY_ASSIGN_OR_RETURN(DockerInfo info, impl_->Info(kListTimeout));
  return info.root_dir;
}

void DockerRuntime::EndCalls() { impl_->engine.EndCalls(); }

}  // namespace skerry::edged
