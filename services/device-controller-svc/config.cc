#include "services/device-controller-svc/config.h"

#include "absl/status/status.h"
#include "services/lib/base/error.h"

namespace skerry::devicecontroller {
namespace {

void DeclareHubs(config::Schema& schema, DeviceControllerConfig& config) {
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
             "PEM file of the certificate authority of the hubs and of who calls this service");
  schema.Add("tls.cert", &config.tls_cert, "PEM file of this service's certificate chain");
  schema.Add("tls.key", &config.tls_key, "PEM file of this service's private key");
}

void DeclareStore(config::Schema& schema, DeviceControllerConfig& config) {
  schema
      .Add("state_dir", &config.state_dir,
           "folder of the SQLite stores: registry.db, twins.db, telemetry.db")
      .Required();
  schema
      .Add("store.kind", &config.store_kind,
           "where registry, twins and telemetry are kept: sqlite (in state_dir) for one replica, "
           "postgres for several")
      .OneOf({"sqlite", "postgres"});
  schema.Add("store.postgres_url_file", &config.postgres_url_file,
             "file with the PostgreSQL URL, for store.kind postgres");
  schema
      .AddBytes("store.size_bytes_max", &config.size_bytes_max,
                "of each SQLite store; beyond, what comes waits on the boxes")
      .Min(1 << 20);
  schema
      .Add("retention.history", &config.history_retention,
           "how long replaced values of twins are kept; 0: for ever")
      .Min(absl::ZeroDuration());
  schema
      .Add("retention.telemetry", &config.telemetry_retention,
           "how long readings are kept, where the DeviceModel's annotation "
           "devices.skerry.io/telemetry-retention says nothing; 0: for ever")
      .Min(absl::ZeroDuration());
  schema.Add("retention.interval", &config.retention_interval, "how often that is looked at")
      .Min(absl::Seconds(1));
  schema
      .Add("registry.refresh_interval", &config.registry_refresh_interval,
           "how soon a device that another replica has enabled or disabled is treated so")
      .Min(absl::Milliseconds(100));
}

void DeclareLeaderElection(config::Schema& schema, DeviceControllerConfig& config) {
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
}

absl::Status Check(const DeviceControllerConfig& config) {
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
  if (config.bearer.enabled && files == 0) {
    return InvalidField("auth.bearer.enabled", "true",
                        "set tls.ca, tls.cert and tls.key, too: tokens do not travel in plaintext");
  }
  if (config.store_kind == "postgres" && config.postgres_url_file.empty()) {
    return InvalidField("store.postgres_url_file", "",
                        "name the file with the URL when store.kind is postgres");
  }
  return absl::OkStatus();
}

}  // namespace

void Declare(config::Schema& schema, DeviceControllerConfig& config) {
  config::AddCommon(schema, config.common);
  schema.Add("kubeconfig", &config.kubeconfig,
             "kubeconfig file of the Kubernetes API; empty: the pod's own service account");
  schema.Add("listen", &config.listen,
             "host:port of the API (gRPC, mTLS with tls.*); without tls.* on loopback only");
  auth::AddBearer(schema, config.bearer);
  DeclareHubs(schema, config);
  DeclareStore(schema, config);
  DeclareLeaderElection(schema, config);
  schema.Add("report.workers", &config.report_workers, "reports of twins applied at the same time")
      .Min(1)
      .Max(256);
  schema
      .Add("reading.workers", &config.reading_workers,
           "nodes whose readings are stored at the same time")
      .Min(1)
      .Max(256);
  schema.Add("device.workers", &config.device_workers, "Devices recorded at the same time")
      .Min(1)
      .Max(256);
  schema.Check([&config] { return Check(config); });
}

}  // namespace skerry::devicecontroller
