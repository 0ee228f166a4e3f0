#include "services/edged-svc/core/docker_bodies.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/core/runtime_labels.h"

namespace skerry::edged {
namespace {

using nlohmann::json;

// Bytes that are no UTF-8 become U+FFFD: Docker would refuse the whole.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string User(const std::optional<int64_t>& user, const std::optional<int64_t>& group) {
  if (!user.has_value()) return "";
  return group.has_value() ? absl::StrCat(*user, ":", *group) : absl::StrCat(*user);
}

json Groups(const std::vector<int64_t>& groups) {
  json out = json::array();
  for (const int64_t group : groups) out.push_back(absl::StrCat(group));
  return out;
}

std::string CgroupParent(const std::string& cgroup, const DockerFacts& facts) {
  return facts.systemd_cgroups ? SliceOf(cgroup) : cgroup;
}

int64_t OomScoreAdj(int64_t wanted, const DockerFacts& facts) {
  return facts.restrict_oom_score_adj ? std::max<int64_t>(wanted, 0) : wanted;
}

std::vector<std::string> OrElse(std::vector<std::string> list, const char* otherwise) {
  if (list.empty()) list.push_back(otherwise);
  return list;
}

const char* Propagation(VolumeMount::Propagation propagation) {
  switch (propagation) {
    case VolumeMount::Propagation::kHostToContainer:
      return "rslave";
    case VolumeMount::Propagation::kBidirectional:
      return "rshared";
    case VolumeMount::Propagation::kNone:
      break;
  }
  return "rprivate";
}

json PodLabels(const SandboxConfig& pod, absl::string_view owner, const char* type) {
  json labels = json::object();
  labels[kLabelPodName] = pod.name;
  labels[kLabelPodNamespace] = pod.name_space;
  labels[kLabelPodUid] = pod.uid;
  labels[kLabelOwner] = std::string(owner);
  labels[kLabelDockerType] = type;
  return labels;
}

// Copied into the pod's own log files; Docker keeps what is needed to go on after a pause.
json LogConfig() {
  return {{"Type", "json-file"}, {"Config", {{"max-size", "10m"}, {"max-file", "2"}}}};
}

json SecurityOptions(const SecurityContext& security, absl::string_view seccomp) {
  json out = json::array();
  if (security.no_new_privileges) out.push_back("no-new-privileges");
  // As the kubelet without seccompDefault: no profile named is no profile.
  if (security.seccomp_type == "Localhost") {
    out.push_back(absl::StrCat("seccomp=", seccomp));
  } else if (security.seccomp_type != "RuntimeDefault") {
    out.push_back("seccomp=unconfined");
  }
  return out;
}

}  // namespace

std::string SandboxName(const SandboxConfig& config) {
  return absl::StrJoin({std::string("k8s_POD"), config.name, config.name_space, config.uid,
                        absl::StrCat(config.attempt)},
                       "_");
}

std::string ContainerName(const SandboxConfig& sandbox, const ContainerConfig& config) {
  return absl::StrJoin({absl::StrCat("k8s_", config.name), sandbox.name, sandbox.name_space,
                        sandbox.uid, absl::StrCat(sandbox.attempt, "-", config.restart_count)},
                       "_");
}

std::string SandboxBody(const SandboxConfig& config, absl::string_view image,
                        absl::string_view owner, const DockerFacts& facts) {
  json labels = PodLabels(config, owner, kDockerTypeSandbox);
  labels[kLabelAttempt] = absl::StrCat(config.attempt);
  for (const auto& [key, value] : config.labels) labels.emplace(key, value);
  for (const auto& [key, value] : config.annotations)
    labels[absl::StrCat(kDockerAnnotationPrefix, key)] = value;
  json exposed = json::object(), bindings = json::object();
  for (const PortMapping& port : config.ports) {
    const std::string key =
        absl::StrCat(port.container_port, "/",
                     port.protocol.empty() ? "tcp" : absl::AsciiStrToLower(port.protocol));
    exposed[key] = json::object();
    bindings[key].push_back({{"HostIp", port.host_ip}, {"HostPort", absl::StrCat(port.host_port)}});
  }
  json host = {
      {"NetworkMode", config.host_network ? "host" : "default"},
      {"IpcMode", config.host_ipc ? "host" : "shareable"},
      {"PidMode", config.host_pid ? "host" : ""},
      {"CgroupParent", CgroupParent(config.cgroup_parent, facts)},
      {"PortBindings", bindings},
      {"Sysctls", config.sysctls},
      {"Privileged", config.privileged},
      {"GroupAdd", Groups(config.groups)},
      // As the kubelet's: it does nothing, and must be the last to go.
      {"CpuShares", 2},
      {"OomScoreAdj", OomScoreAdj(-998, facts)},
      {"LogConfig", LogConfig()},
  };
  if (config.override_dns) {
    host["Dns"] = config.dns.servers;
    // Docker takes the host's where there are none: "." and resolv.conf(5)'s default are as good as
    // none.
    host["DnsSearch"] = OrElse(config.dns.searches, ".");
    host["DnsOptions"] = OrElse(config.dns.options, "ndots:1");
  }
  json body = {{"Image", std::string(image)},
               {"Labels", labels},
               {"ExposedPorts", exposed},
               {"User", User(config.run_as_user, config.run_as_group)},
               {"HostConfig", host}};
  if (!config.host_network) body["Hostname"] = config.hostname;
  return Dump(body);
}

std::string ContainerBody(absl::string_view sandbox_id, const SandboxConfig& sandbox,
                          const ContainerConfig& config, absl::string_view seccomp,
                          absl::string_view owner, const DockerFacts& facts) {
  const std::string join = absl::StrCat("container:", sandbox_id);
  const SecurityContext& security = config.security;
  json labels = PodLabels(sandbox, owner, kDockerTypeContainer);
  labels[kLabelContainer] = config.name;
  labels[kLabelSandboxId] = std::string(sandbox_id);
  labels[kLabelImage] = config.image;
  labels[kLabelLogPath] = absl::StrCat(sandbox.log_folder, "/", config.log_path);
  labels[absl::StrCat(kDockerAnnotationPrefix, kAnnotationHash)] = config.spec_hash;
  labels[absl::StrCat(kDockerAnnotationPrefix, kAnnotationRestarts)] =
      absl::StrCat(config.restart_count);
  json env = json::array(), mounts = json::array();
  for (const auto& [name, value] : config.env) env.push_back(absl::StrCat(name, "=", value));
  for (const MountConfig& mount : config.mounts) {
    mounts.push_back({{"Type", "bind"},
                      {"Source", mount.host_path},
                      {"Target", mount.container_path},
                      {"ReadOnly", mount.read_only},
                      {"BindOptions", {{"Propagation", Propagation(mount.propagation)}}}});
  }
  json host = {
      {"NetworkMode", join},
      {"IpcMode", sandbox.host_ipc ? "host" : join},
      {"PidMode", sandbox.host_pid    ? "host"
                  : sandbox.share_pid ? join
                                      : ""},
      {"CgroupParent", CgroupParent(sandbox.cgroup_parent, facts)},
      {"Mounts", mounts},
      {"Privileged", security.privileged},
      {"ReadonlyRootfs", security.read_only_root},
      {"CapAdd", security.add_capabilities},
      {"CapDrop", security.drop_capabilities},
      {"GroupAdd", Groups(config.groups)},
      {"SecurityOpt", SecurityOptions(security, seccomp)},
      {"CpuShares", config.limits.cpu_shares},
      {"CpuQuota", config.limits.cpu_quota},
      {"CpuPeriod", config.limits.cpu_period},
      {"Memory", config.limits.memory_bytes_max},
      // No swap beyond the limit: else a container at its limit swaps where it should be ended
      // (OOMKilled).
      {"MemorySwap", config.limits.memory_bytes_max},
      {"OomScoreAdj", OomScoreAdj(config.limits.oom_score_adj, facts)},
      {"LogConfig", LogConfig()},
  };
  // Absent: Docker's own lists.
  if (security.unmasked_proc && !security.privileged)
    host["MaskedPaths"] = host["ReadonlyPaths"] = json::array();
  json body = {{"Image", config.image_id},
               {"Labels", labels},
               {"Env", env},
               {"User", User(security.run_as_user, security.run_as_group)},
               {"OpenStdin", config.stdin_open},
               {"StdinOnce", config.stdin_once},
               {"Tty", config.tty},
               // The image's is not Kubernetes' matter: probes are.
               {"Healthcheck", {{"Test", {"NONE"}}}},
               {"HostConfig", host}};
  if (!config.working_dir.empty()) body["WorkingDir"] = config.working_dir;
  // The image's where there is none; its Cmd counts only with its own Entrypoint.
  if (!config.command.empty()) body["Entrypoint"] = config.command;
  if (!config.args.empty()) body["Cmd"] = config.args;
  return Dump(body);
}

std::string ExecBody(const std::vector<std::string>& command, bool in, bool out, bool err,
                     bool tty) {
  return Dump({{"Cmd", command},
               {"AttachStdin", in},
               {"AttachStdout", out},
               {"AttachStderr", err},
               {"Tty", tty},
               {"DetachKeys", kDetachKeys}});
}

std::string ExecStartBody(bool tty) { return Dump({{"Detach", false}, {"Tty", tty}}); }

std::string AuthHeader(const RegistryAuth& auth) {
  const json value = {{"username", auth.username},
                      {"password", auth.password},
                      {"identitytoken", auth.identity_token},
                      {"serveraddress", auth.server}};
  // base64url with its padding: RFC 4648, section 5.
  return absl::StrReplaceAll(absl::Base64Escape(Dump(value)), {{"+", "-"}, {"/", "_"}});
}

std::string OwnerFilter(absl::string_view owner) {
  return Dump({{"label", {absl::StrCat(kLabelOwner, "=", owner)}}});
}

std::string SliceOf(absl::string_view cgroup) {
  std::vector<std::string> steps;
  for (const absl::string_view step : absl::StrSplit(cgroup, '/', absl::SkipEmpty()))
    steps.push_back(absl::StrReplaceAll(step, {{"-", "_"}}));
  return steps.empty() ? "-.slice" : absl::StrCat(absl::StrJoin(steps, "-"), ".slice");
}

}  // namespace skerry::edged
