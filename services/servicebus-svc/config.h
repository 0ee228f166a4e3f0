// Settings of servicebus-svc.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_CONFIG_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::servicebus {

struct ServiceBusConfig {
  config::CommonConfig common;
  std::string run_dir = "/run/skerry";
  std::string edgehub_address;  // Empty: unix:<run_dir>/edgehub.sock.
  absl::Duration edgehub_reconnect_max = absl::Seconds(5);
  std::string meta_address;  // Empty: unix:<run_dir>/edge-meta.sock.
  absl::Duration meta_reconnect_max = absl::Seconds(5);
  std::vector<std::string> calls_allowed;
  int64_t calls_workers = 8;
  int64_t calls_waiting_max = 32;
  absl::Duration calls_timeout_max = absl::Seconds(60);
  std::string calls_ca;                         // Empty: the system's.
  std::string posts_listen = "127.0.0.1:9060";  // Empty: none.
  std::vector<std::string> posts_target_urls;
  absl::Duration posts_timeout = absl::Seconds(60);
  int64_t posts_waiting_bytes_max = 4 << 20;
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, ServiceBusConfig& config);

// Addresses that were not given follow from run_dir.
void FillAddresses(ServiceBusConfig& config);

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_CONFIG_H_
