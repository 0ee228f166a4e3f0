// What edged asks of a container runtime, in the words of pods; and what the runtime says is there.
// CRI is one adapter.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

// One start of a container: as the runtime has it.
struct ContainerView {
  enum class State { kCreated, kRunning, kExited, kUnknown };
  std::string id, sandbox_id, name;
  int32_t restart_count = 0;
  State state = State::kUnknown;
  std::string spec_hash;
  std::string image, image_id;
  absl::Time created = absl::UnixEpoch();
  absl::Time started = absl::UnixEpoch(), finished = absl::UnixEpoch();  // Epoch: not yet.
  int32_t exit_code = 0;
  std::string reason, message;
  std::string log_path;  // Of this start; on this box.

  bool operator==(const ContainerView&) const = default;
};

struct SandboxView {
  std::string id;
  uint32_t attempt = 0;
  bool ready = false;
  absl::Time created = absl::UnixEpoch();
  std::vector<std::string> addresses;

  bool operator==(const SandboxView&) const = default;
};

// All of a pod that the runtime has, newest first.
struct PodView {
  std::string uid, name_space, name;
  std::vector<SandboxView> sandboxes;
  std::vector<ContainerView> containers;

  const SandboxView* ReadySandbox() const {
    return !sandboxes.empty() && sandboxes.front().ready ? &sandboxes.front() : nullptr;
  }
  // The newest start of a container.
  const ContainerView* Latest(absl::string_view container) const {
    for (const ContainerView& c : containers) {
      if (c.name == container) return &c;
    }
    return nullptr;
  }
  bool operator==(const PodView&) const = default;
};

struct ContainerLimits {
  int64_t cpu_shares = 0, cpu_quota = 0, cpu_period = 0;  // Quota and period in microseconds.
  int64_t memory_bytes_max = 0;
  int64_t oom_score_adj = 0;
};

struct PortMapping {
  std::string protocol, host_ip;
  int32_t container_port = 0, host_port = 0;
};

struct SandboxConfig {
  std::string name_space, name, uid;
  uint32_t attempt = 0;
  std::string hostname, log_folder, cgroup_parent;
  bool override_dns = false;  // Else the host's resolv.conf.
  DnsConfig dns;
  std::vector<PortMapping> ports;
  std::map<std::string, std::string> labels, annotations, sysctls;
  bool host_network = false, host_pid = false, host_ipc = false, share_pid = false,
       privileged = false;
  std::optional<int64_t> run_as_user, run_as_group;
  std::vector<int64_t> groups;
};

struct MountConfig {
  std::string host_path, container_path;
  bool read_only = false;
  VolumeMount::Propagation propagation = VolumeMount::Propagation::kNone;
};

struct ContainerConfig {
  std::string name, image_id, image;
  int32_t restart_count = 0;
  std::string spec_hash;
  std::vector<std::string> command, args;
  std::string working_dir;
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<MountConfig> mounts;
  std::string log_path;  // Relative to the sandbox's log folder.
  bool stdin_open = false, stdin_once = false, tty = false;
  ContainerLimits limits;
  SecurityContext security;
  std::string seccomp_profile;  // Absolute path, for Localhost.
  std::vector<int64_t> groups;
};

struct ExecResult {
  int32_t exit_code = 0;
  std::string output;  // Standard output, then standard error; at most 64 KiB.
};

// A stream to a container (exec, attach) or a sandbox (port forward).
struct StreamRequest {
  enum class Kind { kExec, kAttach, kPortForward };
  Kind kind = Kind::kExec;
  std::string id;  // Of the container or the sandbox.
  std::vector<std::string> command;
  bool tty = false, in = false, out = false, err = false;
  std::vector<int32_t> ports;
};

struct ImageView {
  std::string id;
  std::optional<int64_t> uid;  // The user it says to run as, where that is a number.
  std::string username;
};

// An image on this box, under all its names.
struct StoredImage {
  std::string id;
  std::vector<std::string> names;  // With tags and with digests.
  int64_t size_bytes = 0;
  bool pinned = false;   // The runtime itself needs it: every pod's sandbox is made of it.
  bool used = false;     // By a container, whether it runs or has ended, whoever made it.
  bool foreign = false;  // Not edged's to remove: the runtime is others', too, and it is theirs.

  bool operator==(const StoredImage&) const = default;
};

struct RegistryAuth {
  std::string username, password, identity_token, server;
};

struct RuntimeStatus {
  std::string name, version;
  bool ready = false, network_ready = false;
  std::string message;  // Why not ready.
};

// A container runtime. Any thread may call it, also at the same time. Calls without `done` block
// until the runtime has answered or a deadline of the adapter's has passed (DEADLINE_EXCEEDED).
// Those with `done` return at once and call it exactly once, on a thread of the adapter's, which it
// must not block; at the latest when the runtime is destroyed.
class Runtime {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~Runtime() = default;

  virtual absl::StatusOr<RuntimeStatus> Status() = 0;
  // Every pod that edged made, with the details of each container.
  virtual absl::StatusOr<std::vector<PodView>> ListPods() = 0;

  virtual absl::StatusOr<std::string> RunSandbox(const SandboxConfig& config) = 0;
  // Both are OK for a sandbox that is not there.
  virtual absl::Status StopSandbox(absl::string_view id) = 0;
  virtual absl::Status RemoveSandbox(absl::string_view id) = 0;

  virtual absl::StatusOr<std::string> CreateContainer(absl::string_view sandbox_id,
                                                      const SandboxConfig& sandbox,
                                                      const ContainerConfig& config) = 0;
  virtual absl::Status StartContainer(absl::string_view id) = 0;
  // OK for a container that is not there.
  virtual absl::Status RemoveContainer(absl::string_view id) = 0;
  // Stop signal, then SIGKILL after `grace`. OK for a container that has ended or is not there.
  virtual void StopContainer(absl::string_view id, absl::Duration grace, Done done) = 0;
  // Runs a command inside. A command that fails is an OK answer with its exit code.
  virtual void Exec(absl::string_view id, const std::vector<std::string>& command,
                    absl::Duration timeout,
                    absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) = 0;
  // Its log was renamed: goes on in a new file at log_path. An error for a container that does not
  // run; no file is made then.
  virtual absl::Status ReopenLog(absl::string_view id) = 0;

  // The HTTP URL on this box at which the stream is served, for one use.
  virtual absl::StatusOr<std::string> OpenStream(const StreamRequest& request) = 0;

  // nullopt: not on this box.
  virtual absl::StatusOr<std::optional<ImageView>> FindImage(absl::string_view image) = 0;
  // Tries each of `auths` in turn, without credentials where there is none.
  virtual void PullImage(absl::string_view image, std::vector<RegistryAuth> auths, Done done) = 0;
  // All, whoever pulled them.
  virtual absl::StatusOr<std::vector<StoredImage>> ListImages() = 0;
  // With all its names. OK for one that is not there.
  virtual absl::Status RemoveImage(absl::string_view id) = 0;
  // A folder on the file system that images are on.
  virtual absl::StatusOr<std::string> ImageFolder() = 0;

  // Whoever calls is to end: calls that are under way end with CANCELLED, and later ones at once,
  // however long the runtime would take. Waits for that. As it is here: they end by their
  // deadlines.
  virtual void EndCalls() {}
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_RUNTIME_H_
