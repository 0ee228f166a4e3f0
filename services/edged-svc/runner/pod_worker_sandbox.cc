// The part of PodWorker that makes a pod's surroundings: sandbox, cgroup, volumes.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/pod_cgroup.h"
#include "services/edged-svc/runner/pod_worker.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kRetryMax = absl::Seconds(10);

}  // namespace

SandboxConfig PodWorker::MakeSandboxConfig(const PodSpec& pod, uint32_t attempt) const {
  SandboxConfig config;
  config.name_space = pod.name_space;
  config.name = pod.name;
  config.uid = pod.uid;
  config.attempt = attempt;
  config.hostname = (pod.hostname.empty() ? pod.name : pod.hostname).substr(0, 63);
  while (!config.hostname.empty() &&
         (config.hostname.back() == '-' || config.hostname.back() == '.'))
    config.hostname.pop_back();
  config.log_folder = deps_.folders.LogFolder(pod);
  config.cgroup_parent = CgroupOf(pod);
  config.labels = pod.labels;
  config.annotations = pod.annotations;
  config.sysctls = pod.sysctls;
  config.host_network = pod.host_network;
  config.host_pid = pod.host_pid;
  config.host_ipc = pod.host_ipc;
  config.share_pid = pod.share_pid;
  config.run_as_user = pod.security.run_as_user;
  config.run_as_group = pod.security.run_as_group;
  config.groups = pod.supplemental_groups;
  if (pod.fs_group.has_value()) config.groups.push_back(*pod.fs_group);
  const bool cluster = (pod.dns_policy == "ClusterFirst" && !pod.host_network) ||
                       pod.dns_policy == "ClusterFirstWithHostNet";
  if (pod.dns_policy == "None" || (cluster && !deps_.cluster_dns.servers.empty())) {
    config.override_dns = true;
    if (cluster) {
      config.dns = deps_.cluster_dns;
      for (const std::string& domain : deps_.cluster_dns.searches) {
        config.dns.searches.insert(
            config.dns.searches.begin(),
            {absl::StrCat(pod.name_space, ".svc.", domain), absl::StrCat("svc.", domain)});
        break;
      }
      config.dns.options.push_back("ndots:5");
    }
    const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    add(config.dns.servers, pod.dns.servers);
    add(config.dns.searches, pod.dns.searches);
    add(config.dns.options, pod.dns.options);
  }
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const ContainerSpec& container : *list) {
      config.privileged = config.privileged || container.security.privileged;
      if (list == &pod.init_containers || pod.host_network) continue;
      for (const ContainerPort& port : container.ports) {
        if (port.host_port > 0)
          config.ports.push_back(
              {port.protocol, port.host_ip, port.container_port, port.host_port});
      }
    }
  }
  return config;
}

std::string PodWorker::CgroupOf(const PodSpec& pod) const {
  return PodCgroup(deps_.cgroup_parent, pod);
}

void PodWorker::CreateSandbox(const Input& input, const PodActions& actions, Outcome& outcome) {
  const PodSpec& pod = *input.pod;
  if (Held("", input, outcome)) return;
  refreshed_revision_ = input.objects_revision;
  absl::string_view failure = "FailedMount";
  absl::Status status =
      deps_.folders.Prepare(pod, PodPlace{deps_.host_address, {}}, deps_.objects, deps_.node)
          .status();
  if (status.ok()) {
    failure = "FailedCreatePodSandBox";
    outcome.changed = true;
    status = RunSandbox(pod, actions);
  }
  const std::string message = status.ok() ? "" : std::string(status.message());
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const ContainerSpec& c : *list)
      facts_[c.name].waiting = {message.empty()               ? ""
                                : pod.init_containers.empty() ? "ContainerCreating"
                                                              : "PodInitializing",
                                message};
  }
  if (status.ok()) {
    sandbox_backoff_ = absl::ZeroDuration();
    holds_.erase("");
    told_.erase("");
    return;
  }
  TellPodFailure(pod, failure, status);
  sandbox_backoff_ = std::clamp(sandbox_backoff_ * 2, absl::Seconds(1), kRetryMax);
  HoldBack("", sandbox_backoff_, input, outcome);
}

absl::Status PodWorker::RunSandbox(const PodSpec& pod, const PodActions& actions) {
  if (actions.sandbox_attempt > 0 && IsNews("/sandbox", absl::StrCat(actions.sandbox_attempt))) {
    deps_.events.Record(AboutPod(pod), EventType::kNormal, "SandboxChanged",
                        "Pod sandbox changed, it will be killed and re-created.");
  }
  SKERRY_RETURN_IF_ERROR(deps_.folders.MakeLogFolder(pod, pod.containers.front().name));
  for (const std::string& old : actions.stop_sandboxes)
    SKERRY_RETURN_IF_ERROR(deps_.runtime.StopSandbox(old));
  const absl::StatusOr<std::string> id =
      deps_.runtime.RunSandbox(MakeSandboxConfig(pod, actions.sandbox_attempt));
  if (!id.ok()) return Annotate(id.status(), "Failed to create pod sandbox");
  log_.Info("sandbox created", {{"pod", pod.key()}, {"sandbox", *id}});
  return absl::OkStatus();
}

void PodWorker::RefreshVolumes(const Input& input, const PodView& view) {
  if (refreshed_revision_ == input.objects_revision || view.ReadySandbox() == nullptr) return;
  refreshed_revision_ = input.objects_revision;
  const absl::Status status =
      deps_.folders.Prepare(*input.pod, PlaceOf(view), deps_.objects, deps_.node).status();
  // What is mounted stays as it is: an object that went away must not take running containers with
  // it.
  if (status.ok()) return;
  log_.Warning("volumes not updated", status, {{"pod", input.pod->key()}});
  deps_.events.Record(AboutPod(*input.pod), EventType::kWarning, "FailedMount", status.message());
}

}  // namespace skerry::edged
