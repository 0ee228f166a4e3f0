// Configuration of standalone-api-svc.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_CONFIG_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::standaloneapi {

struct StandaloneApiConfig {
  config::CommonConfig common;
  std::string listen = "0.0.0.0:6443";
  std::string state_dir = "/var/lib/skerry/standalone-api";
  std::string store_kind = "sqlite";
  std::string postgres_url_file;
  std::vector<std::string> tls_sans;
  absl::Duration certificate_lifetime = absl::Hours(24 * 365);
  std::string tokens_file;
  std::string policy_file;
  std::string kubeconfig_out_dir;  // Empty: <state_dir>/kubeconfig.
  std::string kubeconfig_server;   // Empty: https://127.0.0.1:<bound port>.
  std::string manifests_dir;
  std::string kubelet_ca;  // Empty: kubelets' certificates are not checked.
  bool scheduler = true;
  absl::Duration event_ttl = absl::Hours(1);
  int64_t workers = 4;
  int64_t connections_max = 4096;
  int64_t watch_pending_bytes_max = 8 << 20;
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, StandaloneApiConfig& config);

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_CONFIG_H_
