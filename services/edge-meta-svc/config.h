// Settings of edge-meta-svc.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CONFIG_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::edgemeta {

struct MetaConfig {
  config::CommonConfig common;
  std::string run_dir = "/run/skerry";
  std::string state_dir = "/var/lib/skerry";
  std::string listen;           // Empty: unix:<run_dir>/edge-meta.sock.
  std::string edgehub_address;  // Empty: unix:<run_dir>/edgehub.sock.
  std::vector<std::string> resource_types = {"pods",
                                             "configmaps",
                                             "secrets",
                                             "serviceaccounts",
                                             "nodes",
                                             "devices.devices.kubeedge.io",
                                             "devicemodels.devices.kubeedge.io",
                                             "rules.rules.kubeedge.io"};
  std::vector<std::string> report_types = {"pods", "nodes"};
  std::vector<std::string> sealed_types = {"secrets"};
  int64_t log_entries_max = 10000;
  int64_t log_bytes_max = 16 << 20;
  int64_t report_bytes_max = 32 << 20;
  int64_t size_bytes_max = 1 << 30;
  int64_t watch_queue_bytes_max = 8 << 20;
  absl::Duration bookmark_interval = absl::Seconds(30);
  absl::Duration reconnect_max = absl::Seconds(5);
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, MetaConfig& config);

// Addresses that were not given follow from run_dir.
void FillAddresses(MetaConfig& config);

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CONFIG_H_
