// From edged's words to the bodies of Docker Engine's requests.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_BODIES_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_BODIES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// Beside those in runtime_labels.h; the first four as dockershim and cri-dockerd have them.
inline constexpr char kLabelDockerType[] = "io.kubernetes.docker.type";
inline constexpr char kDockerTypeSandbox[] = "podsandbox";
inline constexpr char kDockerTypeContainer[] = "container";
inline constexpr char kLabelSandboxId[] = "io.kubernetes.sandbox.id";
inline constexpr char kLabelLogPath[] = "io.kubernetes.container.logpath";
inline constexpr char kDockerAnnotationPrefix[] = "annotation.";
inline constexpr char kLabelImage[] = "io.skerry.image";  // As the pod names it.
inline constexpr char kLabelAttempt[] = "io.skerry.attempt";

// Keys of a terminal at which Docker leaves the process and ends the stream; it always has some, by
// default Ctrl-P Ctrl-Q, which shells and editors know as two keys of theirs. Nobody types these.
// Docker keeps the first back until the next key says whether it begins them: NUL, as the least
// used.
inline constexpr char kDetachKeys[] = "ctrl-@,ctrl-^,ctrl-_,ctrl-],ctrl-^,ctrl-_,ctrl-],ctrl-@";

struct DockerFacts {
  bool systemd_cgroups = false;  // Docker's cgroup driver; else cgroupfs.
  // It may not lower the score (rootless, or without CAP_SYS_RESOURCE): none below 0 is asked for.
  bool restrict_oom_score_adj = false;
};

// Which container each is, for `docker ps`: as dockershim named them.
std::string SandboxName(const SandboxConfig& config);
std::string ContainerName(const SandboxConfig& sandbox, const ContainerConfig& config);

// Bodies of /containers/create.
std::string SandboxBody(const SandboxConfig& config, absl::string_view image,
                        absl::string_view owner, const DockerFacts& facts);
// `seccomp`: the profile itself, for Localhost.
std::string ContainerBody(absl::string_view sandbox_id, const SandboxConfig& sandbox,
                          const ContainerConfig& config, absl::string_view seccomp,
                          absl::string_view owner, const DockerFacts& facts);

// Body of /containers/{id}/exec.
std::string ExecBody(const std::vector<std::string>& command, bool in, bool out, bool err,
                     bool tty);
// Body of /exec/{id}/start.
std::string ExecStartBody(bool tty);

// The header X-Registry-Auth.
std::string AuthHeader(const RegistryAuth& auth);

// The value of `filters` that names the containers of `owner`.
std::string OwnerFilter(absl::string_view owner);

// "/kubepods/besteffort/pod1-2" as systemd's driver takes it: "kubepods-besteffort-pod1_2.slice"
// (systemd.slice(5): a dash of the name is a step of the tree; the kubelet's names).
std::string SliceOf(absl::string_view cgroup);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_DOCKER_BODIES_H_
