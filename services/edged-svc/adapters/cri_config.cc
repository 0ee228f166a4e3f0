#include "services/edged-svc/adapters/cri_config.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

namespace cri = runtime::v1;

void SetNamespaces(const SandboxConfig& pod, cri::NamespaceOption& out) {
  out.set_network(pod.host_network ? cri::NODE : cri::POD);
  out.set_ipc(pod.host_ipc ? cri::NODE : cri::POD);
  out.set_pid(pod.host_pid ? cri::NODE : pod.share_pid ? cri::POD : cri::CONTAINER);
}

void SetSecurity(const SandboxConfig& pod, const ContainerConfig& config,
                 cri::LinuxContainerSecurityContext& out) {
  const SecurityContext& s = config.security;
  SetNamespaces(pod, *out.mutable_namespace_options());
  out.set_privileged(s.privileged);
  out.set_readonly_rootfs(s.read_only_root);
  out.set_no_new_privs(s.no_new_privileges);
  if (s.run_as_user.has_value()) {
    out.mutable_run_as_user()->set_value(*s.run_as_user);
    if (s.run_as_group.has_value()) out.mutable_run_as_group()->set_value(*s.run_as_group);
  }
  for (const int64_t group : config.groups) out.add_supplemental_groups(group);
  for (const std::string& c : s.add_capabilities)
    out.mutable_capabilities()->add_add_capabilities(c);
  for (const std::string& c : s.drop_capabilities)
    out.mutable_capabilities()->add_drop_capabilities(c);
  // As the kubelet without seccompDefault: no profile named is no profile.
  auto* seccomp = out.mutable_seccomp();
  seccomp->set_profile_type(s.seccomp_type == "RuntimeDefault"
                                ? cri::SecurityProfile::RuntimeDefault
                            : s.seccomp_type == "Localhost" ? cri::SecurityProfile::Localhost
                                                            : cri::SecurityProfile::Unconfined);
  if (s.seccomp_type == "Localhost") seccomp->set_localhost_ref(config.seccomp_profile);
  if (s.privileged || s.unmasked_proc) return;
  for (const char* path :
       {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"}) {
    out.add_masked_paths(path);
  }
  for (const char* path :
       {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})
    out.add_readonly_paths(path);
}

cri::MountPropagation ToCri(VolumeMount::Propagation propagation) {
  switch (propagation) {
    case VolumeMount::Propagation::kHostToContainer:
      return cri::PROPAGATION_HOST_TO_CONTAINER;
    case VolumeMount::Propagation::kBidirectional:
      return cri::PROPAGATION_BIDIRECTIONAL;
    case VolumeMount::Propagation::kNone:
      break;
  }
  return cri::PROPAGATION_PRIVATE;
}

}  // namespace

std::string SandboxImage(const cri::StatusResponse& verbose) {
  const auto text = verbose.info().find("config");
  if (text == verbose.info().end()) return "";
  const auto config = nlohmann::json::parse(text->second, nullptr, false);
  if (!config.is_object()) return "";
  const auto image = config.find("sandboxImage");
  return image != config.end() && image->is_string() ? image->get<std::string>() : "";
}

cri::PodSandboxConfig ToCri(const SandboxConfig& config, absl::string_view owner) {
  cri::PodSandboxConfig out;
  auto* metadata = out.mutable_metadata();
  metadata->set_name(config.name);
  metadata->set_namespace_(config.name_space);
  metadata->set_uid(config.uid);
  metadata->set_attempt(config.attempt);
  if (!config.host_network) out.set_hostname(config.hostname);
  out.set_log_directory(config.log_folder);
  if (config.override_dns) {
    auto* dns = out.mutable_dns_config();
    for (const std::string& server : config.dns.servers) dns->add_servers(server);
    for (const std::string& search : config.dns.searches) dns->add_searches(search);
    for (const std::string& option : config.dns.options) dns->add_options(option);
  }
  for (const PortMapping& port : config.ports) {
    auto* mapping = out.add_port_mappings();
    mapping->set_protocol(port.protocol == "UDP"    ? cri::UDP
                          : port.protocol == "SCTP" ? cri::SCTP
                                                    : cri::TCP);
    mapping->set_container_port(port.container_port);
    mapping->set_host_port(port.host_port);
    mapping->set_host_ip(port.host_ip);
  }
  auto& labels = *out.mutable_labels();
  for (const auto& [key, value] : config.labels) labels[key] = value;
  labels[kLabelPodName] = config.name;
  labels[kLabelPodNamespace] = config.name_space;
  labels[kLabelPodUid] = config.uid;
  labels[kLabelOwner] = std::string(owner);
  for (const auto& [key, value] : config.annotations) (*out.mutable_annotations())[key] = value;
  auto* linux_config = out.mutable_linux();
  linux_config->set_cgroup_parent(config.cgroup_parent);
  for (const auto& [key, value] : config.sysctls) (*linux_config->mutable_sysctls())[key] = value;
  auto* security = linux_config->mutable_security_context();
  SetNamespaces(config, *security->mutable_namespace_options());
  security->set_privileged(config.privileged);
  security->mutable_seccomp()->set_profile_type(cri::SecurityProfile::RuntimeDefault);
  if (config.run_as_user.has_value()) {
    security->mutable_run_as_user()->set_value(*config.run_as_user);
    if (config.run_as_group.has_value())
      security->mutable_run_as_group()->set_value(*config.run_as_group);
  }
  for (const int64_t group : config.groups) security->add_supplemental_groups(group);
  return out;
}

cri::ContainerConfig ToCri(const SandboxConfig& sandbox, const ContainerConfig& config,
                           absl::string_view owner) {
  cri::ContainerConfig out;
  out.mutable_metadata()->set_name(config.name);
  out.mutable_metadata()->set_attempt(static_cast<uint32_t>(config.restart_count));
  out.mutable_image()->set_image(config.image_id);
  for (const std::string& word : config.command) out.add_command(word);
  for (const std::string& word : config.args) out.add_args(word);
  out.set_working_dir(config.working_dir);
  for (const auto& [name, value] : config.env) {
    auto* env = out.add_envs();
    env->set_key(name);
    env->set_value(value);
  }
  for (const MountConfig& m : config.mounts) {
    auto* mount = out.add_mounts();
    mount->set_container_path(m.container_path);
    mount->set_host_path(m.host_path);
    mount->set_readonly(m.read_only);
    mount->set_propagation(ToCri(m.propagation));
  }
  auto& labels = *out.mutable_labels();
  labels[kLabelPodName] = sandbox.name;
  labels[kLabelPodNamespace] = sandbox.name_space;
  labels[kLabelPodUid] = sandbox.uid;
  labels[kLabelContainer] = config.name;
  labels[kLabelOwner] = std::string(owner);
  auto& annotations = *out.mutable_annotations();
  annotations[kAnnotationHash] = config.spec_hash;
  annotations[kAnnotationRestarts] = absl::StrCat(config.restart_count);
  out.set_log_path(config.log_path);
  out.set_stdin(config.stdin_open);
  out.set_stdin_once(config.stdin_once);
  out.set_tty(config.tty);
  auto* resources = out.mutable_linux()->mutable_resources();
  resources->set_cpu_shares(config.limits.cpu_shares);
  resources->set_cpu_quota(config.limits.cpu_quota);
  resources->set_cpu_period(config.limits.cpu_period);
  resources->set_memory_limit_in_bytes(config.limits.memory_bytes_max);
  // No swap beyond the limit: else a container at its limit swaps where it should be ended
  // (OOMKilled).
  resources->set_memory_swap_limit_in_bytes(config.limits.memory_bytes_max);
  resources->set_oom_score_adj(config.limits.oom_score_adj);
  SetSecurity(sandbox, config, *out.mutable_linux()->mutable_security_context());
  return out;
}

}  // namespace skerry::edged
