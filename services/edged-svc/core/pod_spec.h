// A pod as edged sees it: what of the Kubernetes object decides how it runs on this box.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_SPEC_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_SPEC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace skerry::edged {

enum class RestartPolicy { kAlways, kOnFailure, kNever };
enum class QosClass { kGuaranteed, kBurstable, kBestEffort };

struct EnvVar {
  enum class Source { kValue, kConfigMap, kSecret, kField, kResource };
  std::string name;
  Source source = Source::kValue;
  std::string value;         // kValue: with $(REFERENCES).
  std::string object;        // kConfigMap, kSecret.
  std::string key;           // kConfigMap, kSecret: key; kField: field path; kResource: resource.
  std::string container;     // kResource; empty: the container itself.
  int64_t divisor_nano = 0;  // kResource, in 1e-9; 0: 1.
  bool optional = false;
};

struct EnvFrom {
  bool secret = false;  // Else a ConfigMap.
  std::string object;
  std::string prefix;
  bool optional = false;
};

struct VolumeMount {
  std::string volume;
  std::string path;
  std::string sub_path;
  bool sub_path_expands = false;  // subPathExpr: $(VAR) of the container's environment.
  bool read_only = false;
  enum class Propagation {
    kNone,
    kHostToContainer,
    kBidirectional
  } propagation = Propagation::kNone;
};

// Amounts in nano-units: 500m of CPU is 500,000,000; 1Ki of memory 1,024,000,000,000.
struct Resources {
  std::map<std::string, __int128> requests;
  std::map<std::string, __int128> limits;
};

// Something done to a container from outside: a probe's or a hook's action.
struct Handler {
  enum class Kind { kNone, kExec, kHttp, kTcp, kGrpc, kSleep } kind = Kind::kNone;
  std::vector<std::string> command;  // kExec.
  std::string host, scheme, path;    // kHttp; host also kTcp. Empty host: the pod's address.
  int32_t port = 0;                  // Named ports are resolved.
  std::string grpc_service;          // Empty: the server as a whole.
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t sleep_seconds = 0;
};

struct Probe {
  Handler handler;
  absl::Duration initial_delay, timeout = absl::Seconds(1), period = absl::Seconds(10);
  int32_t success_threshold = 1, failure_threshold = 3;
  std::optional<int64_t> termination_grace_seconds;
};

struct SecurityContext {
  std::optional<int64_t> run_as_user, run_as_group;
  std::optional<bool> run_as_non_root;
  bool read_only_root = false;
  bool privileged = false;
  bool no_new_privileges = false;
  bool unmasked_proc = false;
  std::vector<std::string> add_capabilities, drop_capabilities;
  std::string seccomp_type;  // "", "RuntimeDefault", "Unconfined", "Localhost".
  std::string seccomp_localhost;
};

struct ContainerPort {
  std::string name, host_ip, protocol = "TCP";
  int32_t container_port = 0, host_port = 0;
};

struct ContainerSpec {
  std::string name, image;
  std::string pull_policy;  // "Always", "IfNotPresent", "Never".
  std::vector<std::string> command, args;
  std::string working_dir;
  std::vector<EnvVar> env;
  std::vector<EnvFrom> env_from;
  std::vector<VolumeMount> mounts;
  std::vector<ContainerPort> ports;
  Resources resources;
  std::optional<Probe> liveness, readiness, startup;
  std::optional<Handler> post_start, pre_stop;
  std::string termination_message_path = "/dev/termination-log";
  bool message_falls_back_to_logs = false;
  bool stdin_open = false, stdin_once = false, tty = false;
  SecurityContext security;
};

// One source of files: a volume of that kind, or a part of a projected one.
struct FileSource {
  enum class Kind { kConfigMap, kSecret, kDownward, kToken };
  struct Item {
    std::string key;   // kDownward: field path, or "" for a resource.
    std::string path;  // Relative to the volume.
    std::optional<int32_t> mode;
    std::string container, resource;  // kDownward: resourceFieldRef.
    int64_t divisor_nano = 0;
  };
  Kind kind = Kind::kConfigMap;
  std::string object;
  std::vector<Item> items;  // Empty: every key.
  bool optional = false;
  std::string token_path;
};

struct VolumeSpec {
  enum class Kind { kEmptyDir, kHostPath, kFiles };
  std::string name;
  Kind kind = Kind::kEmptyDir;
  bool memory = false;               // kEmptyDir.
  int64_t size_bytes_max = 0;        // kEmptyDir in memory; 0: none.
  std::string host_path, host_type;  // kHostPath.
  std::vector<FileSource> sources;   // kFiles.
  int32_t default_mode = 0644;
  bool projected = false;
  std::string plugin =
      "empty-dir";  // Names the folder: "configmap", "secret", "downward-api", "projected".
};

struct DnsConfig {
  std::vector<std::string> servers, searches, options;
};

struct HostAlias {
  std::string ip;
  std::vector<std::string> names;
};

struct PodSpec {
  std::string name_space, name, uid;
  int64_t generation = 0;
  std::map<std::string, std::string> labels, annotations;
  std::optional<absl::Time> deletion_time;
  std::optional<int64_t> deletion_grace_seconds;

  std::string node_name, service_account, hostname, subdomain, dns_policy;
  RestartPolicy restart_policy = RestartPolicy::kAlways;
  int64_t termination_grace_seconds = 30;
  std::optional<int64_t> active_deadline_seconds;
  bool host_network = false, host_pid = false, host_ipc = false, share_pid = false;
  bool service_links = true;
  std::optional<int64_t> fs_group;
  std::vector<int64_t> supplemental_groups;
  std::map<std::string, std::string> sysctls;
  SecurityContext security;  // Already folded into the containers'.
  DnsConfig dns;
  std::vector<HostAlias> host_aliases;
  std::vector<std::string> pull_secrets;
  std::vector<VolumeSpec> volumes;
  std::vector<ContainerSpec> init_containers, containers;

  // From status: conditions that others own (the scheduler's, readiness gates), as JSON of each.
  std::vector<std::string> foreign_conditions;

  std::string key() const { return name_space + "/" + name; }
  // "name_namespace(uid)", as the kubelet writes a pod in its messages.
  std::string Display() const { return name + "_" + name_space + "(" + uid + ")"; }
  // Grace of a deletion: the deletion's own where it has one.
  int64_t GraceSeconds() const {
    return deletion_grace_seconds.value_or(termination_grace_seconds);
  }
  const ContainerSpec* Find(const std::string& container) const;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_SPEC_H_
