// Configuration of edgehub-svc.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_CONFIG_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::edgehub {

struct EdgeHubConfig {
  config::CommonConfig common;
  std::string run_dir = "/run/skerry";
  std::string state_dir = "/var/lib/skerry";
  std::string listen;  // "unix:<run_dir>/edgehub.sock" unless given.
  std::string cloud_address;
  std::string cloud_join_address;  // The host of cloud_address and 10002 unless given.
  std::string cloud_server_name;
  std::string tls_ca;
  std::string tls_identity;
  bool compression = true;
  absl::Duration backoff_min = absl::Seconds(1);
  absl::Duration backoff_max = absl::Seconds(60);
  int64_t link_bytes_per_second = 0;  // 0: no limit.
  int64_t link_burst_bytes = 64 << 10;
  int64_t journal_bytes_max = 64 << 20;
  int64_t journal_type_bytes_max = 32 << 20;
  absl::Duration journal_age_max = absl::Hours(24 * 30);
  int64_t event_stream_bytes_max = 32 << 20;
  absl::Duration event_age_max = absl::Hours(24 * 30);
  absl::Duration command_outcome_retention = absl::Hours(24);
  int64_t command_records_max = 100000;
  int64_t command_response_bytes_max = 16 << 20;
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, EdgeHubConfig& config);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_CONFIG_H_
