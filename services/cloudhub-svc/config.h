// Configuration of cloudhub-svc.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_CONFIG_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/auth/bearer_config.h"
#include "services/lib/config/config.h"

namespace skerry::cloudhub {

struct CloudHubConfig {
  config::CommonConfig common;
  std::string hub_name;  // The host's name unless given.
  std::string state_dir = "/var/lib/skerry/cloudhub";
  std::string store_kind = "sqlite";
  std::string postgres_url_file;
  std::string ca_dir;  // <state_dir>/ca unless given.
  std::string link_listen = "0.0.0.0:10000";
  std::string api_listen = "0.0.0.0:10005";
  std::string join_listen = "0.0.0.0:10002";
  std::string kubeconfig;  // Empty: in-cluster. For auth.bearer alone.
  auth::BearerConfig bearer;
  std::string link_advertise;  // What joined nodes dial.
  std::vector<std::string> tls_sans;
  bool write_clients = true;
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
  absl::Duration node_certificate_lifetime = absl::Hours(24 * 365);
  absl::Duration expired_grace = absl::Hours(24 * 30);
  absl::Duration heartbeat_interval = absl::Seconds(16);
  bool compression = true;
  absl::Duration drain_retry_after = absl::Seconds(1);
  int64_t unsent_bytes_max = 16 << 20;
  int64_t connections_max = 20000;
  int64_t session_threads = 2;
  int64_t syncs_max = 256;
  int64_t handshakes_max = 64;
  int64_t commands_node_max = 64;
  int64_t commands_node_bytes_max = 4 << 20;
  int64_t commands_memory_bytes_max = 64 << 20;
  int64_t commands_store_bytes_max = int64_t{1} << 30;
  absl::Duration commands_retention = absl::Hours(24);
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, CloudHubConfig& config);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_CONFIG_H_
