// The part of PodWorker that starts a container: image, configuration, mounts, hooks.
#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/env.h"
#include "services/edged-svc/core/image_name.h"
#include "services/edged-svc/core/pull_auth.h"
#include "services/edged-svc/core/spec_hash.h"
#include "services/edged-svc/runner/pod_worker.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(10);
constexpr absl::Duration kShowFailure = absl::Seconds(1);

absl::Status ConfigError(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message)
      .Reason("CREATE_CONTAINER_CONFIG_ERROR");
}

}  // namespace

void PodWorker::Wait(const PodSpec& pod, const std::string& container, absl::string_view reason,
                     absl::string_view message) {
  Waiting& waiting = facts_[container].waiting;
  if (waiting.reason != reason) {
    log_.Warning("container can't be started",
                 {{"container", container}, {"reason", reason}, {"error", message}});
  }
  waiting = {std::string(reason), std::string(message)};
  if (IsNews(container, absl::StrCat(reason, ": ", message)))
    TellWaiting(AboutContainer(pod, container), pod.Find(container)->image, reason, message);
}

void PodWorker::Start(const Input& input, const PodView& view, const std::string& name,
                      Outcome& outcome) {
  const PodSpec& pod = *input.pod;
  const ContainerSpec* spec = pod.Find(name);
  const SandboxView* sandbox = view.ReadySandbox();
  if (spec == nullptr || sandbox == nullptr || Held(name, input, outcome)) return;
  const std::optional<ImageView> image = EnsureImage(input, view, *spec, outcome);
  if (!image.has_value()) return;
  const ContainerView* latest = view.Latest(name);
  const int32_t restart = latest == nullptr ? 0 : latest->restart_count + 1;
  const absl::Time now = deps_.clock.Now();
  absl::StatusOr<ContainerConfig> config = MakeContainerConfig(input, view, *spec, *image, restart);
  if (!config.ok()) {
    Wait(pod, name, "CreateContainerConfigError", config.status().message());
    return HoldBack(name, kRetry, input, outcome);
  }
  if (latest != nullptr && latest->state == ContainerView::State::kExited)
    crashes_[name].Next(latest->finished, now);
  outcome.changed = true;
  const absl::StatusOr<std::string> id =
      deps_.runtime.CreateContainer(sandbox->id, MakeSandboxConfig(pod, sandbox->attempt), *config);
  if (!id.ok()) {
    Wait(pod, name, "CreateContainerError", id.status().message());
    return HoldBack(name, kRetry, input, outcome);
  }
  const EventTarget about = AboutContainer(pod, name);
  if (!pulls_[spec->image].done) {
    deps_.events.Record(
        about, EventType::kNormal, "Pulled",
        absl::StrCat("Container image \"", spec->image, "\" already present on machine"));
  }
  deps_.events.Record(about, EventType::kNormal, "Created",
                      absl::StrCat("Created container: ", name));
  if (const absl::Status status = deps_.runtime.StartContainer(*id); !status.ok()) {
    Wait(pod, name, "RunContainerError", status.message());
    return;  // It counts as an end: the back-off of crashes decides.
  }
  deps_.events.Record(about, EventType::kNormal, "Started",
                      absl::StrCat("Started container ", name));
  facts_[name].waiting = {};
  holds_.erase(name);
  told_.erase(name);
  pulls_.erase(spec->image);
  log_.Info("container started",
            {{"pod", pod.key()}, {"container", name}, {"container_id", *id}, {"restart", restart}});
  if (restart > 0) deps_.restarted();
  if (spec->post_start.has_value()) RunPostStart(pod, *spec, *id, view);
}

std::optional<ImageView> PodWorker::EnsureImage(const Input& input, const PodView& view,
                                                const ContainerSpec& container, Outcome& outcome) {
  const PodSpec& pod = *input.pod;
  const absl::Time now = deps_.clock.Now();
  if (const absl::Status valid = CheckImageName(container.image); !valid.ok()) {
    Wait(pod, container.name, "InvalidImageName", valid.message());
    return std::nullopt;
  }
  Pull& pull = pulls_[container.image];
  if (pull.running) return std::nullopt;
  const absl::StatusOr<std::optional<ImageView>> found = deps_.runtime.FindImage(container.image);
  if (!found.ok()) {
    Wait(pod, container.name, "ImageInspectError",
         absl::StrCat("Failed to inspect image \"", container.image,
                      "\": ", found.status().message()));
    RetryAt(now + kRetry, outcome);
    return std::nullopt;
  }
  if (found->has_value() && (pull.done || container.pull_policy != "Always")) return *found;
  if (container.pull_policy == "Never") {
    Wait(pod, container.name, "ErrImageNeverPull",
         absl::StrCat("Container image \"", container.image,
                      "\" is not present with pull policy of Never"));
    RetryAt(now + kRetry, outcome);
    return std::nullopt;
  }
  // Autonomy: what this very pod has run before runs again from the box's own copy when the
  // registry can't be asked.
  if (found->has_value() && !pull.error.empty() && view.Latest(container.name) != nullptr) {
    log_.Warning("image could not be pulled again: the copy on this box is used",
                 {{"container", container.name}, {"image", container.image}});
    return *found;
  }
  // Long enough to be seen before the back-off hides it. A clock that went back holds up nothing.
  if (now >= pull.failed_at && now < pull.failed_at + kShowFailure) {
    Wait(pod, container.name, "ErrImagePull", pull.error);
    RetryAt(pull.failed_at + kShowFailure, outcome);
    return std::nullopt;
  }
  if (now < pull.next_attempt && pull.next_attempt - now <= Backoff::kMax) {
    Wait(pod, container.name, "ImagePullBackOff",
         absl::StrCat("Back-off pulling image \"", container.image,
                      "\": ErrImagePull: ", pull.error));
    RetryAt(pull.next_attempt, outcome);
    return std::nullopt;
  }
  BeginPull(pod, container, pull);
  return std::nullopt;
}

void PodWorker::BeginPull(const PodSpec& pod, const ContainerSpec& container, Pull& pull) {
  std::vector<RegistryAuth> auths;
  for (const std::string& name : pod.pull_secrets) {
    const auto secret = deps_.objects.Secret(pod.name_space, name);
    if (secret == nullptr) continue;  // As the kubelet: the pull shows whether it was needed.
    for (RegistryAuth& auth : PullAuths(*secret, container.image)) auths.push_back(std::move(auth));
  }
  pull.running = true;
  pull.began = deps_.clock.Monotonic();
  log_.Info("image is being pulled", {{"pod", pod.key()}, {"image", container.image}});
  const EventTarget about = AboutContainer(pod, container.name);
  deps_.events.Record(about, EventType::kNormal, "Pulling",
                      absl::StrCat("Pulling image \"", container.image, "\""));
  deps_.runtime.PullImage(
      container.image, std::move(auths),
      [self = shared_from_this(), image = container.image, about](absl::Status status) {
        self->Mail(
            [image, about, status](PodWorker& worker) { worker.EndPull(about, image, status); });
      });
}

void PodWorker::EndPull(const EventTarget& about, const std::string& image,
                        const absl::Status& status) {
  Pull& pull = pulls_[image];
  pull.running = false;
  pull.done = status.ok();
  if (status.ok()) {
    pull.error.clear();
    const std::string took = absl::FormatDuration(
        absl::Trunc(deps_.clock.Monotonic() - pull.began, absl::Milliseconds(1)));
    return deps_.events.Record(about, EventType::kNormal, "Pulled",
                               absl::StrCat("Successfully pulled image \"", image, "\" in ", took,
                                            " (", took, " including waiting)"));
  }
  const absl::Time now = deps_.clock.Now();
  pull.backoff.Next(now, now);
  pull.next_attempt = now + pull.backoff.delay;
  pull.failed_at = now;
  pull.error = std::string(status.message());
  deps_.events.Record(about, EventType::kWarning, "Failed",
                      absl::StrCat("Failed to pull image \"", image, "\": ", pull.error));
}

absl::StatusOr<ContainerConfig> PodWorker::MakeContainerConfig(const Input& input,
                                                               const PodView& view,
                                                               const ContainerSpec& container,
                                                               const ImageView& image,
                                                               int32_t restart) {
  const PodSpec& pod = *input.pod;
  ContainerConfig config;
  config.name = container.name;
  config.image = container.image;
  config.image_id = image.id;
  config.restart_count = restart;
  config.spec_hash = SpecHash(container);
  SKERRY_ASSIGN_OR_RETURN(
      const Environment environment,
      BuildEnvironment(pod, container, PlaceOf(view), deps_.objects, deps_.node));
  config.env = environment;
  config.command = ExpandAll(container.command, environment);
  config.args = ExpandAll(container.args, environment);
  config.working_dir = container.working_dir;
  config.log_path = absl::StrCat(container.name, "/", restart, ".log");
  config.stdin_open = container.stdin_open;
  config.stdin_once = container.stdin_once;
  config.tty = container.tty;
  config.limits = LimitsOf(pod, container, deps_.node);
  config.security = container.security;
  config.groups = pod.supplemental_groups;
  if (pod.fs_group.has_value()) config.groups.push_back(*pod.fs_group);
  if (!container.security.seccomp_localhost.empty())
    config.seccomp_profile =
        absl::StrCat(deps_.seccomp_folder, "/", container.security.seccomp_localhost);
  if (container.security.run_as_non_root.value_or(false)) {
    const std::optional<int64_t> uid =
        container.security.run_as_user.has_value() ? container.security.run_as_user : image.uid;
    const std::string where =
        absl::StrCat(" (pod: \"", pod.Display(), "\", container: ", container.name, ")");
    if (!container.security.run_as_user.has_value() && !image.username.empty())
      return ConfigError(absl::StrCat("container has runAsNonRoot and image has non-numeric user (",
                                      image.username, "), cannot verify user is non-root", where));
    if (uid.value_or(0) == 0) {
      return ConfigError(absl::StrCat(container.security.run_as_user.has_value()
                                          ? "container's runAsUser breaks non-root policy"
                                          : "container has runAsNonRoot and image will run as root",
                                      where));
    }
  }
  SKERRY_RETURN_IF_ERROR(deps_.folders.MakeLogFolder(pod, container.name));
  SKERRY_RETURN_IF_ERROR(AddMounts(input, view, container, restart, environment, config));
  return config;
}

absl::Status PodWorker::AddMounts(const Input& input, const PodView& view,
                                  const ContainerSpec& container, int32_t restart,
                                  const Environment& environment, ContainerConfig& config) {
  const PodSpec& pod = *input.pod;
  const PodPlace place = PlaceOf(view);
  SKERRY_ASSIGN_OR_RETURN(const auto volumes,
                          deps_.folders.Prepare(pod, place, deps_.objects, deps_.node));
  bool own_hosts = false, own_message = false;
  for (size_t i = 0; i < container.mounts.size(); ++i) {
    const VolumeMount& mount = container.mounts[i];
    const auto volume = volumes.find(mount.volume);
    if (volume == volumes.end())
      return ConfigError(absl::StrCat("volume \"", mount.volume, "\" is not there"));
    // As the kubelet: what edged writes, a container only reads. Else it could also lead the next
    // update out of the volume by a symlink.
    const bool ours = std::any_of(pod.volumes.begin(), pod.volumes.end(), [&](const VolumeSpec& v) {
      return v.name == mount.volume && v.kind == VolumeSpec::Kind::kFiles;
    });
    MountConfig out{volume->second, mount.path, mount.read_only || ours, mount.propagation};
    std::string sub_path = mount.sub_path;
    if (mount.sub_path_expands) {
      sub_path = ExpandAll({sub_path}, environment).front();
      if (absl::StrContains(sub_path, "$(") || absl::StrContains(sub_path + "/", "../") ||
          absl::StartsWith(sub_path, "/"))
        return ConfigError(absl::StrCat("subPathExpr \"", mount.sub_path, "\" becomes \"", sub_path,
                                        "\", which is not a relative path"));
    }
    if (!sub_path.empty()) {
      SKERRY_ASSIGN_OR_RETURN(out.host_path,
                              deps_.folders.BindSubPath(pod, mount.volume, volume->second, sub_path,
                                                        container.name, i));
    }
    own_hosts = own_hosts || mount.path == "/etc/hosts";
    own_message = own_message || mount.path == container.termination_message_path;
    config.mounts.push_back(std::move(out));
  }
  if (!own_hosts && !pod.host_network) {
    const std::string hostname = MakeSandboxConfig(pod, 0).hostname;
    SKERRY_ASSIGN_OR_RETURN(const std::string hosts,
                            deps_.folders.WriteEtcHosts(pod, hostname, place.addresses));
    config.mounts.push_back({hosts, "/etc/hosts", false, VolumeMount::Propagation::kNone});
  }
  if (!own_message) {
    SKERRY_ASSIGN_OR_RETURN(const std::string message,
                            deps_.folders.MakeTerminationLog(pod, container.name, restart));
    config.mounts.push_back(
        {message, container.termination_message_path, false, VolumeMount::Propagation::kNone});
  }
  return absl::OkStatus();
}

void PodWorker::RunPostStart(const PodSpec& pod, const ContainerSpec& container,
                             const std::string& id, const PodView& view) {
  const PodPlace place = PlaceOf(view);
  deps_.handlers.Run(
      HandlerRunner::Use::kHook, id,
      place.addresses.empty() ? deps_.host_address : place.addresses.front(), *container.post_start,
      absl::Minutes(10),
      [self = shared_from_this(), id, about = AboutContainer(pod, container.name),
       grace = absl::Seconds(pod.termination_grace_seconds)](absl::Status status) {
        if (status.ok()) return;
        self->Mail([id, about, grace, status](PodWorker& worker) {
          worker.log_.Warning("postStart hook failed: the container is stopped", status,
                              {{"container_id", id}});
          worker.deps_.events.Record(about, EventType::kWarning, "FailedPostStartHook",
                                     "PostStartHook failed");
          if (!worker.stops_.try_emplace(id, Stop{worker.deps_.clock.Monotonic() + grace}).second)
            return;
          worker.deps_.events.Record(about, EventType::kNormal, "Killing", "FailedPostStartHook");
          worker.StopAfterHook(id, grace);
        });
      });
}

}  // namespace skerry::edged
