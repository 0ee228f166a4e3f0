#include "services/cloudhub-svc/config.h"

#include "services/lib/base/error.h"

namespace skerry::cloudhub {

void Declare(config::Schema& schema, CloudHubConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("hub.name", &c.hub_name,
             "name of this replica, shown to people; the host's name unless given");
  schema
      .Add("state_dir", &c.state_dir,
           "folder for what must outlive a restart (CA, certificates, tokens, epochs, queued "
           "commands)")
      .Required();
  schema
      .Add("store.kind", &c.store_kind,
           "where tokens, nodes and epochs are kept: sqlite (in state_dir) for one hub, postgres "
           "for replicas")
      .OneOf({"sqlite", "postgres"});
  schema.Add("store.postgres_url_file", &c.postgres_url_file,
             "file with the PostgreSQL URL, for store.kind postgres");
  schema.Add("link.listen", &c.link_listen, "host:port for the links of edge nodes (gRPC, mTLS)")
      .Required();
  schema.Add("api.listen", &c.api_listen, "host:port for controllers and operators (gRPC, mTLS)")
      .Required();
  auth::AddBearer(schema, c.bearer);
  schema.Add("kubeconfig", &c.kubeconfig,
             "kubeconfig file of the Kubernetes API that is asked about tokens, with auth.bearer; "
             "empty: the pod's own service account");
  schema.Add("join.listen", &c.join_listen, "host:port where nodes join (HTTPS)").Required();
  schema.Add("link.advertise", &c.link_advertise,
             "host:port that joined nodes dial; unless given, the host by which they joined and "
             "the bound port");
  schema.Add("tls.ca_dir", &c.ca_dir,
             "folder of ca.crt and ca.key, the same for all replicas; made where it is missing; "
             "empty: <state_dir>/ca");
  schema.Add("tls.sans", &c.tls_sans,
             "names and addresses by which nodes and controllers reach this hub, beside its own "
             "and localhost");
  schema.Add("tls.write_clients", &c.write_clients,
             "write certificates of the controllers, the router and the operator to "
             "<state_dir>/clients, and renew them there; false where theirs come from elsewhere");
  schema
      .Add("tls.certificate_lifetime", &c.certificate_lifetime,
           "life of the hub's own certificates and of its clients'; they are renewed at two thirds "
           "of it")
      .Min(absl::Seconds(10));
  schema
      .Add("join.certificate_lifetime", &c.node_certificate_lifetime,
           "life of a node's certificate, which the node renews at two thirds of it")
      .Min(absl::Seconds(10));
  schema
      .Add("join.expired_grace", &c.expired_grace,
           "how long after its certificate ended a node may still renew it; beyond, it joins again")
      .Min(absl::ZeroDuration());
  schema
      .Add("link.heartbeat_interval", &c.heartbeat_interval,
           "a node sends at least this often; it may ask for more often than that, down to 5s")
      .Min(absl::Seconds(1))
      .Max(absl::Minutes(10));
  schema.Add("link.compression", &c.compression,
             "frames go and come compressed where the other end takes part and it pays");
  schema
      .Add("link.drain_retry_after", &c.drain_retry_after,
           "how long nodes wait to dial again when the hub drains")
      .Min(absl::ZeroDuration())
      .Max(absl::Minutes(1));
  schema
      .AddBytes("link.unsent_bytes_max", &c.unsent_bytes_max,
                "pushes that may wait for one node; beyond, it resyncs")
      .Min(1 << 20);
  schema
      .Add("link.connections_max", &c.connections_max,
           "connections of nodes, with those before Welcome")
      .Min(1);
  schema
      .Add("link.handshakes_max", &c.handshakes_max,
           "TLS handshakes of nodes at a time; others wait, their addresses take turns")
      .Min(4)
      .Max(10000);
  schema
      .Add("link.syncs_max", &c.syncs_max,
           "nodes that are brought up to date at a time; others wait for their turn")
      .Min(1)
      .Max(100000);
  schema.Add("link.threads", &c.session_threads, "threads that share the sessions").Min(1).Max(64);
  schema
      .Add("commands.node_max", &c.commands_node_max,
           "commands that may wait for one node in memory, and as many in the queue")
      .Min(1)
      .Max(1000);
  schema
      .AddBytes("commands.node_bytes_max", &c.commands_node_bytes_max,
                "payloads that may wait for one node in memory, and as many in the queue")
      .Min(256 << 10);
  schema
      .AddBytes("commands.memory_bytes_max", &c.commands_memory_bytes_max,
                "commands that may be in memory, of all nodes; what has ended may take half of it")
      .Min(1 << 20);
  schema
      .AddBytes("commands.store_bytes_max", &c.commands_store_bytes_max,
                "size of the store of queued commands; beyond, new ones are refused")
      .Min(16 << 20);
  schema
      .Add("commands.retention", &c.commands_retention,
           "how long a queued command can be asked for after its end")
      .Min(absl::Minutes(1));
  schema.Check([&c]() -> absl::Status {
    if (c.store_kind == "postgres" && c.postgres_url_file.empty()) {
      return InvalidField("store.postgres_url_file", "",
                          "name the file with the URL when store.kind is postgres");
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::cloudhub
