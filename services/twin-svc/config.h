// Settings of twin-svc.
#ifndef SKERRY_SERVICES_TWIN_SVC_CONFIG_H_
#define SKERRY_SERVICES_TWIN_SVC_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::twin {

struct TwinConfig {
  config::CommonConfig common;
  std::string run_dir = "/run/skerry";
  std::string state_dir = "/var/lib/skerry";
  std::string listen;      // Empty: unix:<run_dir>/twin.sock.
  std::string dmi_listen;  // Empty: unix:<run_dir>/dmi.sock.
  int64_t mappers_max = 64;
  absl::Duration mapper_call_timeout = absl::Seconds(10);
  absl::Duration mappers_away_after = absl::Seconds(10);
  std::string meta_address;  // Empty: unix:<run_dir>/edge-meta.sock.
  absl::Duration meta_reconnect_max = absl::Seconds(5);
  std::string hub_address;  // Empty: unix:<run_dir>/edgehub.sock.
  absl::Duration hub_reconnect_max = absl::Seconds(5);
  int64_t size_bytes_max = 1 << 30;
  int64_t waiting_bytes_max = 16 << 20;
  int64_t readings_bytes_max = 128 << 20;
  absl::Duration readings_age_max = absl::Hours(24 * 7);
  absl::Duration reports_interval = absl::Seconds(1);
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, TwinConfig& config);

// Addresses that were not given follow from run_dir.
void FillAddresses(TwinConfig& config);
// What one setting alone does not show: INVALID_ARGUMENT names it.
absl::Status CheckConfig(const TwinConfig& config);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CONFIG_H_
