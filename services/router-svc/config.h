// Settings of router-svc.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CONFIG_H_
#define SKERRY_SERVICES_ROUTER_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/auth/bearer_config.h"
#include "services/lib/config/config.h"

namespace skerry::router {

struct RouterConfig {
  config::CommonConfig common;

  std::string state_dir = "/var/lib/skerry";
  std::string kubeconfig;  // Empty: in-cluster.

  std::vector<std::string> hub_addresses;
  std::string hub_server_name;
  absl::Duration find_hubs_interval = absl::Seconds(5);
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;

  std::string listen;  // Empty: no API for dead letters.
  auth::BearerConfig bearer;

  std::string rest_listen;  // Empty: no REST endpoint.
  std::string rest_cert;    // Empty: tls_cert and tls_key.
  std::string rest_key;
  std::string rest_client_ca;
  std::string rest_token_file;
  std::string rest_group = "skerry:router";
  absl::Duration rest_timeout = absl::Seconds(60);

  std::vector<std::string> delivery_targets;  // Empty: any.
  int64_t delivery_workers = 8;
  absl::Duration delivery_timeout = absl::Seconds(10);
  absl::Duration delivery_backoff_min = absl::Seconds(1);
  absl::Duration delivery_backoff_max = absl::Minutes(5);
  absl::Duration delivery_age_max = absl::Hours(1);
  std::string delivery_ca;  // Empty: the system's.

  std::string store_kind = "sqlite";
  std::string postgres_url_file;
  int64_t rule_bytes_max = 64 << 20;
  int64_t letter_bytes_max = 256 << 20;
  int64_t size_bytes_max = int64_t{4} << 30;
  absl::Duration status_interval = absl::Seconds(10);
};

// Declares every setting, bound to `config`, which outlives `schema`.
void Declare(config::Schema& schema, RouterConfig& config);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CONFIG_H_
