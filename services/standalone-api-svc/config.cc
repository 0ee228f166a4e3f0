#include "services/standalone-api-svc/config.h"

#include "services/lib/base/error.h"

namespace skerry::standaloneapi {

void Declare(config::Schema& schema, StandaloneApiConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("listen", &c.listen, "host:port of the Kubernetes API (HTTPS)").Required();
  schema
      .Add("state_dir", &c.state_dir,
           "folder of the CA, the serving certificate and the SQLite store")
      .Required();
  schema.Add("store.kind", &c.store_kind, "where objects are kept").OneOf({"sqlite", "postgres"});
  schema.Add("store.postgres_url_file", &c.postgres_url_file,
             "file with the PostgreSQL URL, for store.kind postgres");
  schema.Add("tls.sans", &c.tls_sans,
             "further DNS names and IP addresses under which clients reach the API (localhost and "
             "this host's name are "
             "always there)");
  schema
      .Add("tls.certificate_lifetime", &c.certificate_lifetime,
           "life of the serving certificate and of those in the kubeconfigs; they are renewed at "
           "two thirds of it")
      .Min(absl::Seconds(10));
  schema.Add("auth.tokens_file", &c.tokens_file,
             "file of bearer tokens; empty: client certificates only");
  schema.Add("auth.policy_file", &c.policy_file,
             "RBAC policy; empty: the built-in one (system:masters may do everything, "
             "skerry:controllers what "
             "controllers need)");
  schema.Add("kubeconfig.out_dir", &c.kubeconfig_out_dir,
             "folder for the kubeconfigs of the administrator and the controllers, kept up to "
             "date; empty: "
             "<state_dir>/kubeconfig");
  schema.Add("kubeconfig.server", &c.kubeconfig_server,
             "URL of the API in those files; empty: https://127.0.0.1 and the bound port");
  schema.Add("bootstrap.manifests_dir", &c.manifests_dir,
             "folder of YAML or JSON manifests that are applied at every start, by name "
             "(definitions first)");
  schema.Add(
      "kubelet.ca", &c.kubelet_ca,
      "PEM file of the certificate authority of the kubelets (edge-controller-svc); empty: their "
      "certificates are not checked, as kube-apiserver's default");
  schema.Add("scheduler.enabled", &c.scheduler,
             "bind pods of schedulerName default-scheduler to nodes");
  schema.Add("events.ttl", &c.event_ttl, "events are deleted this long after they were last seen")
      .Min(absl::Minutes(1));
  schema.Add("workers", &c.workers, "threads that answer requests").Min(1).Max(256);
  schema.Add("connections_max", &c.connections_max, "beyond, those idle longest make room").Min(8);
  schema
      .AddBytes("watch.pending_bytes_max", &c.watch_pending_bytes_max,
                "events that may wait for one watching client; beyond, its watch is cut and it "
                "lists again")
      .Min(64 << 10);
  schema.Check([&c]() -> absl::Status {
    if (c.store_kind == "postgres" && c.postgres_url_file.empty()) {
      return InvalidField("store.postgres_url_file", "",
                          "name the file with the URL when store.kind is postgres");
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::standaloneapi
