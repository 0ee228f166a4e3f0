// Configuration of edged-svc.
#ifndef SKERRY_SERVICES_EDGED_SVC_CONFIG_H_
#define SKERRY_SERVICES_EDGED_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::edged {

struct EdgedConfig {
  config::CommonConfig common;
  std::string node_name;
  std::string node_address;  // Empty: found.
  std::string state_dir = "/var/lib/skerry";
  std::string run_dir = "/run/skerry";
  std::string listen;           // Empty: unix:<run_dir>/edged.sock.
  std::string meta_address;     // Empty: unix:<run_dir>/edge-meta.sock.
  std::string edgehub_address;  // Empty: unix:<run_dir>/edgehub.sock.
  absl::Duration meta_reconnect_max = absl::Seconds(5);
  std::string runtime_kind = "auto";  // Then "cri" or "docker", after FillDefaults.
  std::string runtime_endpoint = "unix:///run/containerd/containerd.sock";
  std::string image_endpoint;  // Empty: the runtime's.
  std::string sandbox_image;   // Empty: the runtime says it; Docker: see docker_runtime.h.
  bool restrict_oom_score_adj = false;
  absl::Duration relist_period = absl::Seconds(1);
  std::string root_dir;     // Empty: <state_dir>/edged.
  std::string pod_log_dir;  // Empty: <state_dir>/logs/pods.
  std::string cgroup_parent = "/kubepods";
  int64_t container_log_bytes_max = 10 << 20;  // 0: they are not rotated.
  int64_t container_log_files_max = 5;
  absl::Duration container_log_interval = absl::Seconds(10);
  int64_t image_gc_high_threshold_percent = 85;
  int64_t image_gc_low_threshold_percent = 80;
  absl::Duration image_gc_age_min = absl::Minutes(2);
  absl::Duration image_gc_interval = absl::Minutes(5);
  int64_t disk_available_percent_min = 10;  // The kubelet's thresholds.
  int64_t images_available_percent_min = 15;
  int64_t pods_max = 110;
  int64_t workers = 4;
  std::vector<std::string> dns_servers;
  std::string dns_domain;
};

void Declare(config::Schema& schema, EdgedConfig& config);
// What follows from other settings.
void FillDefaults(EdgedConfig& config);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CONFIG_H_
