// Settings of eventbus-svc.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CONFIG_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::eventbus {

struct BusConfig {
  config::CommonConfig common;
  std::string node_name;
  std::string run_dir = "/run/skerry";
  std::string state_dir = "/var/lib/skerry";
  std::string twin_address;     // Empty: unix:<run_dir>/twin.sock.
  std::string meta_address;     // Empty: unix:<run_dir>/edge-meta.sock.
  std::string edgehub_address;  // Empty: unix:<run_dir>/edgehub.sock.
  absl::Duration reconnect_max = absl::Seconds(5);

  std::string mqtt_broker = "tcp://127.0.0.1:1883";
  std::string mqtt_version = "3.1.1";
  std::string mqtt_client_id;  // Empty: skerry-eventbus-<node>.
  std::vector<std::string> mqtt_user_topics;
  int64_t mqtt_publish_qos = 1;
  int64_t mqtt_subscribe_qos = 1;
  std::string mqtt_credentials_file;
  std::string mqtt_ca_file;
  std::string mqtt_certificate_file;
  std::string mqtt_key_file;
  bool mqtt_allow_plaintext = false;
  absl::Duration mqtt_keepalive = absl::Seconds(30);
  absl::Duration mqtt_connect_timeout = absl::Seconds(10);
  absl::Duration mqtt_reconnect_max = absl::Seconds(30);

  int64_t publications_bytes_max = 32 << 20;
  int64_t uploads_bytes_max = 32 << 20;
  absl::Duration age_max = absl::Hours(24);
  int64_t requests_bytes_max = 8 << 20;
  int64_t requests_log_bytes_max = 64 << 20;
  absl::Duration requests_time_max = absl::Seconds(10);
  int64_t twins_cache_bytes_max = 32 << 20;
};

// Declares every setting on `schema`, bound to `config`.
void Declare(config::Schema& schema, BusConfig& config);

// What was not given follows from run_dir and node.name.
void FillDefaults(BusConfig& config);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CONFIG_H_
