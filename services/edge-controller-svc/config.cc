#include "services/edge-controller-svc/config.h"

#include <arpa/inet.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "services/lib/base/error.h"

namespace skerry::edgecontroller {
namespace {

bool IsIpAddress(const std::string& text) {
  in6_addr ignored;
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

}  // namespace

void Declare(config::Schema& schema, EdgeControllerConfig& config) {
  config::AddCommon(schema, config.common);
  schema.Add("kubeconfig", &config.kubeconfig,
             "kubeconfig file of the Kubernetes API; empty: the pod's own service account");
  schema
      .Add("hub.addresses", &config.hub_addresses,
           "cloudhub-svc replicas, each attached to: host:port of one, or dns:///host:port, a name "
           "that has the addresses of all, as a headless Service")
      .Required();
  schema
      .Add("hub.find_interval", &config.find_hubs_interval,
           "how often the names in hub.addresses are looked up")
      .Min(absl::Milliseconds(100));
  schema.Add("hub.server_name", &config.hub_server_name,
             "name expected in the hubs' certificates; empty: the host of the address");
  schema.Add("tls.ca", &config.tls_ca,
             "PEM file of the certificate authority that the hubs' certificates are of");
  schema.Add("tls.cert", &config.tls_cert, "PEM file of this service's certificate chain");
  schema.Add("tls.key", &config.tls_key, "PEM file of this service's private key");
  schema.Add(
      "kubelet.listen", &config.kubelet_listen,
      "HTTPS address (host:port) at which the API server reaches the edge nodes' kubelets, for "
      "logs and exec; empty: none");
  schema.Add("kubelet.advertise_address", &config.kubelet_advertise_address,
             "IP address or DNS name of kubelet.listen, for the API server; default: its host");
  schema.Add(
      "kubelet.advertise_internal_ip", &config.kubelet_advertise_internal_ip,
      "publish that address as the Nodes' first InternalIP, too: for API servers that prefer "
      "InternalIP to Hostname");
  schema.Add("kubelet.client_ca", &config.kubelet_client_ca,
             "PEM file of the certificate authority of the API server's client certificate");
  schema.Add("kubelet.client_names", &config.kubelet_client_names,
             "common names of the API server's client certificate; others are refused");
  schema.Add("leader_election.enabled", &config.leader_election,
             "only the replica that holds the lease works; turn off for a single replica");
  schema.Add("leader_election.namespace", &config.leader_election_namespace,
             "namespace of the lease");
  schema.Add("leader_election.name", &config.leader_election_name, "name of the lease");
  schema
      .Add("leader_election.lease_duration", &config.lease_duration,
           "another replica takes over after this time without renewal")
      .Min(absl::Seconds(1));
  schema
      .Add("leader_election.renew_deadline", &config.renew_deadline,
           "the leader gives up after this time without renewal")
      .Min(absl::Milliseconds(500));
  schema
      .Add("leader_election.retry_period", &config.retry_period,
           "between two attempts to get or renew the lease")
      .Min(absl::Milliseconds(100));
  schema
      .Add("node.lease_interval", &config.node_lease_interval,
           "how often a connected node's lease is renewed")
      .Min(absl::Milliseconds(100));
  schema
      .Add("node.lease_duration", &config.node_lease_duration,
           "leaseDurationSeconds of node leases")
      .Min(absl::Seconds(1));
  schema
      .Add("node.lost_after", &config.node_lost_after,
           "a node without a session for this long becomes Ready=Unknown")
      .Min(absl::Milliseconds(100));
  schema.Add("pod_gc.enabled", &config.pod_gc, "delete pods whose node does not exist");
  schema.Add("pod_gc.after", &config.pod_gc_after, "how long a node must have been absent")
      .Min(absl::ZeroDuration());
  schema.Add("report.workers", &config.report_workers, "reports applied at the same time")
      .Min(1)
      .Max(256);
  schema
      .Add("node.workers", &config.node_workers, "node leases and states written at the same time")
      .Min(1)
      .Max(256);
  schema.Check([&config]() -> absl::Status {
    // The leader must be quiet before another may lead.
    if (config.lease_duration < config.renew_deadline + config.retry_period) {
      return InvalidField(
          "leader_election.lease_duration", absl::FormatDuration(config.lease_duration),
          "must be at least leader_election.renew_deadline + leader_election.retry_period");
    }
    if (config.retry_period >= config.renew_deadline) {
      return InvalidField("leader_election.retry_period", absl::FormatDuration(config.retry_period),
                          "must be shorter than leader_election.renew_deadline");
    }
    const int files = !config.tls_ca.empty() + !config.tls_cert.empty() + !config.tls_key.empty();
    if (files != 0 && files != 3) {
      return InvalidField("tls.ca, tls.cert, tls.key", "",
                          "give all three, or none for hubs on loopback");
    }
    if (config.kubelet_listen.empty()) return absl::OkStatus();
    if (files == 0) {
      return InvalidField("tls.cert, tls.key", "",
                          "the kubelet endpoint serves with this certificate");
    }
    if (config.kubelet_client_ca.empty()) {
      return InvalidField("kubelet.client_ca", "", "name the CA of the API server's certificate");
    }
    const bool everywhere = absl::StartsWith(config.kubelet_listen, "0.0.0.0:") ||
                            absl::StartsWith(config.kubelet_listen, "[::]:") ||
                            config.kubelet_listen[0] == ':';
    if (everywhere && config.kubelet_advertise_address.empty()) {
      return InvalidField("kubelet.advertise_address", "",
                          "kubelet.listen names no address that the API server could dial");
    }
    if (config.kubelet_advertise_internal_ip && !config.kubelet_advertise_address.empty() &&
        !IsIpAddress(config.kubelet_advertise_address)) {
      return InvalidField("kubelet.advertise_address", config.kubelet_advertise_address,
                          "give an IP address, as kubelet.advertise_internal_ip is on");
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::edgecontroller
