#include "services/router-svc/config.h"

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/base/status_macros.h"

namespace skerry::router {

void Declare(config::Schema& schema, RouterConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("state_dir", &c.state_dir, "folder of router.db").Required();
  schema.Add("kubeconfig", &c.kubeconfig,
             "kubeconfig file of the Kubernetes API; empty: the pod's own service account");
  schema
      .Add("hub.addresses", &c.hub_addresses,
           "cloudhub-svc replicas, each attached to: host:port of one, or dns:///host:port, a name "
           "that has the addresses of all, as a headless Service")
      .Required();
  schema
      .Add("hub.find_interval", &c.find_hubs_interval,
           "how often the names in hub.addresses are looked up")
      .Min(absl::Milliseconds(100));
  schema.Add("hub.server_name", &c.hub_server_name,
             "name expected in the hubs' certificates; empty: the host of the address");
  schema.Add("tls.ca", &c.tls_ca,
             "PEM file of the certificate authority of the hubs and of this service's callers");
  schema.Add("tls.cert", &c.tls_cert, "PEM file of this service's certificate chain");
  schema.Add("tls.key", &c.tls_key, "PEM file of this service's private key");
  schema.Add("listen", &c.listen, "gRPC address of RouterService (dead letters); empty: none");
  auth::AddBearer(schema, c.bearer);
  schema.Add("rest.listen", &c.rest_listen,
             "HTTPS address of the REST endpoint, 0.0.0.0:9443 by custom; empty: none");
  schema.Add("rest.cert", &c.rest_cert,
             "PEM file of the REST endpoint's certificate chain; default: tls.cert");
  schema.Add("rest.key", &c.rest_key, "PEM file of its private key; default: tls.key");
  schema.Add("rest.client_ca", &c.rest_client_ca,
             "PEM file of the certificate authority of REST callers; empty: no certificates");
  schema.Add("rest.token_file", &c.rest_token_file,
             "YAML file of bearer tokens of REST callers; empty: no tokens");
  schema
      .Add("rest.group", &c.rest_group,
           "group that may use every namespace's rules; <group>:<namespace> may use that one's")
      .Required();
  schema.Add("rest.timeout", &c.rest_timeout, "how long a REST caller waits for the box")
      .Min(absl::Milliseconds(100))
      .Max(absl::Hours(1));
  schema.Add("delivery.targets", &c.delivery_targets,
             "URLs that rules may post to, and what is below them, as in https://shop.example/in; "
             "default: any that this service's network reaches");
  schema.Add("delivery.workers", &c.delivery_workers, "rules whose messages are posted at a time")
      .Min(1)
      .Max(128);
  schema.Add("delivery.timeout", &c.delivery_timeout, "how long a target may take")
      .Min(absl::Milliseconds(100))
      .Max(absl::Minutes(10));
  schema.Add("delivery.backoff_min", &c.delivery_backoff_min, "pause after a first failure")
      .Min(absl::Milliseconds(10));
  schema.Add("delivery.backoff_max", &c.delivery_backoff_max, "longest pause between attempts")
      .Min(absl::Milliseconds(10));
  schema
      .Add("delivery.age_max", &c.delivery_age_max,
           "how long a message is tried before it is a dead letter")
      .Min(absl::ZeroDuration());
  schema.Add("delivery.ca", &c.delivery_ca,
             "PEM file of the roots for https targets; default: the system's");
  schema
      .Add("store.kind", &c.store_kind,
           "where messages and the places in the streams are kept: sqlite (in state_dir) or "
           "postgres")
      .OneOf({"sqlite", "postgres"});
  schema.Add("store.postgres_url_file", &c.postgres_url_file,
             "file with the PostgreSQL URL, for store.kind postgres");
  schema
      .AddBytes("store.rule_bytes_max", &c.rule_bytes_max,
                "what may wait of one rule; more are dead letters at once")
      .Min(1 << 20);
  schema
      .AddBytes("store.dead_letter_bytes_max", &c.letter_bytes_max,
                "dead letters; beyond, the oldest are dropped")
      .Min(1 << 20);
  schema
      .AddBytes("store.size_bytes_max", &c.size_bytes_max,
                "size of router.db (SQLite); beyond, messages wait on the boxes")
      .Min(8 << 20);
  schema.Add("status.interval", &c.status_interval, "how often the status of rules is written")
      .Min(absl::Milliseconds(100));
  schema.Check([&c]() -> absl::Status {
    if (!c.rest_listen.empty() && c.rest_client_ca.empty() && c.rest_token_file.empty()) {
      return InvalidField("rest.listen", c.rest_listen,
                          "set rest.token_file or rest.client_ca, too: nobody could call it");
    }
    if (c.bearer.enabled && (c.listen.empty() || c.tls_ca.empty())) {
      return InvalidField(
          "auth.bearer.enabled", "true",
          "set listen and tls.*, too: tokens are for that API, and do not travel in plaintext");
    }
    SKERRY_RETURN_IF_ERROR(HttpAllowList::Parse("delivery.targets", c.delivery_targets).status());
    if (c.store_kind == "postgres" && c.postgres_url_file.empty()) {
      return InvalidField("store.postgres_url_file", "",
                          "name the file with the URL when store.kind is postgres");
    }
    if (c.rest_cert.empty() != c.rest_key.empty())
      return InvalidField("rest.cert", c.rest_cert, "set rest.cert and rest.key, or neither");
    if (c.delivery_backoff_min > c.delivery_backoff_max) {
      return InvalidField("delivery.backoff_min", absl::FormatDuration(c.delivery_backoff_min),
                          "use at most delivery.backoff_max");
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::router
