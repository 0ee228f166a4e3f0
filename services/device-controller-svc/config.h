// Settings of this service.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CONFIG_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/auth/bearer_config.h"
#include "services/lib/config/config.h"

namespace skerry::devicecontroller {

struct DeviceControllerConfig {
  config::CommonConfig common;

  std::string kubeconfig;  // Empty: in-cluster.
  std::string listen = "0.0.0.0:10006";
  auth::BearerConfig bearer;

  std::vector<std::string> hub_addresses;
  std::string hub_server_name;
  absl::Duration find_hubs_interval = absl::Seconds(5);
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;

  std::string state_dir = "/var/lib/skerry/device-controller";
  std::string store_kind = "sqlite";
  std::string postgres_url_file;
  int64_t size_bytes_max = int64_t{10} << 30;
  absl::Duration history_retention = absl::Hours(24 * 30);
  absl::Duration telemetry_retention = absl::Hours(24 * 30);
  absl::Duration retention_interval = absl::Minutes(10);
  absl::Duration registry_refresh_interval = absl::Seconds(10);

  bool leader_election = true;
  std::string leader_election_namespace = "kube-system";
  std::string leader_election_name = "device-controller-svc";
  absl::Duration lease_duration = absl::Seconds(15);
  absl::Duration renew_deadline = absl::Seconds(10);
  absl::Duration retry_period = absl::Seconds(2);

  int64_t report_workers = 8;
  int64_t reading_workers = 4;
  int64_t device_workers = 8;
};

// Declares every setting, bound to `config`, which outlives `schema`.
void Declare(config::Schema& schema, DeviceControllerConfig& config);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CONFIG_H_
