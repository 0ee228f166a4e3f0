// Settings of this service.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CONFIG_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CONFIG_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/config/config.h"

namespace skerry::edgecontroller {

struct EdgeControllerConfig {
  config::CommonConfig common;

  std::string kubeconfig;  // Empty: in-cluster.

  std::vector<std::string> hub_addresses;
  std::string hub_server_name;
  absl::Duration find_hubs_interval = absl::Seconds(5);
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;

  std::string kubelet_listen;  // Empty: no kubelet endpoint.
  std::string kubelet_advertise_address;
  bool kubelet_advertise_internal_ip = false;
  std::string kubelet_client_ca;
  std::vector<std::string> kubelet_client_names = {"kube-apiserver-kubelet-client"};

  bool leader_election = true;
  std::string leader_election_namespace = "kube-system";
  std::string leader_election_name = "edge-controller-svc";
  absl::Duration lease_duration = absl::Seconds(15);
  absl::Duration renew_deadline = absl::Seconds(10);
  absl::Duration retry_period = absl::Seconds(2);

  absl::Duration node_lease_interval = absl::Seconds(10);
  absl::Duration node_lease_duration = absl::Seconds(40);
  absl::Duration node_lost_after = absl::Seconds(40);
  bool pod_gc = true;
  absl::Duration pod_gc_after = absl::Seconds(40);

  int64_t report_workers = 8;
  int64_t node_workers = 4;
};

// Declares every setting, bound to `config`, which outlives `schema`.
void Declare(config::Schema& schema, EdgeControllerConfig& config);

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_CONFIG_H_
