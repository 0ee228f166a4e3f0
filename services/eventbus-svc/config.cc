#include "services/eventbus-svc/config.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/lib/base/error.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/channel.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kClientIdBytesMax = 256;

absl::Status CheckBroker(const BusConfig& c) {
  absl::string_view host = c.mqtt_broker;
  if (absl::ConsumePrefix(&host, "ssl://")) return absl::OkStatus();
  if (!absl::ConsumePrefix(&host, "tcp://")) {
    return InvalidField("mqtt.broker", c.mqtt_broker, "give tcp://host:port, or ssl://host:port");
  }
  if (!c.mqtt_allow_plaintext && !rpc::IsLocalAddress(host)) {
    return InvalidField("mqtt.broker", c.mqtt_broker,
                        "use ssl:// for another machine, or allow it by mqtt.allow_plaintext");
  }
  return absl::OkStatus();
}

absl::Status Check(const BusConfig& c) {
  if (!NodeName::Parse(c.node_name).ok()) {
    return InvalidField("node.name", c.node_name, "use an RFC 1123 subdomain, as in edge-1");
  }
  if (c.mqtt_certificate_file.empty() != c.mqtt_key_file.empty()) {
    return InvalidField("mqtt.key_file", c.mqtt_key_file,
                        "give mqtt.certificate_file and mqtt.key_file, or neither");
  }
  if (c.mqtt_client_id.size() > kClientIdBytesMax) {
    return InvalidField("mqtt.client_id", c.mqtt_client_id.substr(0, kClientIdBytesMax),
                        "give at most 256 bytes");
  }
  for (const std::string& filter : c.mqtt_user_topics) {
    if (const absl::Status good = CheckUserTopicFilter(filter); !good.ok()) {
      return Annotate(good, "mqtt.user_topics");
    }
  }
  return CheckBroker(c);
}

void DeclareMqtt(config::Schema& schema, BusConfig& c) {
  schema
      .Add("mqtt.broker", &c.mqtt_broker,
           "MQTT broker: tcp://host:port, or ssl://host:port for TLS")
      .Required();
  schema.Add("mqtt.version", &c.mqtt_version, "version of MQTT").OneOf({"3.1.1", "5"});
  schema.Add("mqtt.client_id", &c.mqtt_client_id,
             "the broker keeps our session by it; default skerry-eventbus-<node.name>");
  schema.Add("mqtt.user_topics", &c.mqtt_user_topics,
             "filters of topics that go to the cloud, beside +/user/#, SYS/dis/upload_records and "
             "$hw/events/upload/#");
  schema.Add("mqtt.publish_qos", &c.mqtt_publish_qos, "quality of service of what is published")
      .Min(0)
      .Max(1);
  schema.Add("mqtt.subscribe_qos", &c.mqtt_subscribe_qos, "quality of service of subscriptions")
      .Min(0)
      .Max(1);
  schema.Add("mqtt.credentials_file", &c.mqtt_credentials_file,
             "file with user name and password, a line each; default none");
  schema.Add("mqtt.ca_file", &c.mqtt_ca_file,
             "CA certificates of a TLS broker; default this machine's");
  schema.Add("mqtt.certificate_file", &c.mqtt_certificate_file,
             "our certificate for the broker; default none");
  schema.Add("mqtt.key_file", &c.mqtt_key_file, "its key");
  schema.Add("mqtt.allow_plaintext", &c.mqtt_allow_plaintext,
             "a broker of another machine may be spoken with without TLS");
  schema.Add("mqtt.keepalive", &c.mqtt_keepalive, "longest silence towards the broker")
      .Min(absl::Seconds(5))
      .Max(absl::Hours(1));
  schema
      .Add("mqtt.connect_timeout", &c.mqtt_connect_timeout,
           "longest time for a connection to be made")
      .Min(absl::Seconds(1))
      .Max(absl::Minutes(5));
  schema
      .Add("mqtt.reconnect_max", &c.mqtt_reconnect_max,
           "longest pause between attempts to reach the broker")
      .Min(absl::Milliseconds(200));
}

}  // namespace

void FillDefaults(BusConfig& config) {
  if (config.twin_address.empty()) {
    config.twin_address = absl::StrCat("unix:", config.run_dir, "/twin.sock");
  }
  if (config.edgehub_address.empty()) {
    config.edgehub_address = absl::StrCat("unix:", config.run_dir, "/edgehub.sock");
  }
  if (config.meta_address.empty()) {
    config.meta_address = absl::StrCat("unix:", config.run_dir, "/edge-meta.sock");
  }
  if (config.mqtt_client_id.empty()) {
    config.mqtt_client_id = absl::StrCat("skerry-eventbus-", config.node_name);
  }
}

void Declare(config::Schema& schema, BusConfig& c) {
  config::AddCommon(schema, c.common);
  schema.Add("node.name", &c.node_name, "name of this node").Required();
  schema.Add("run_dir", &c.run_dir, "folder of the box's Unix sockets").Required();
  schema.Add("state_dir", &c.state_dir, "folder of eventbus.db").Required();
  schema.Add("twin.address", &c.twin_address,
             "gRPC target of twin-svc; default unix:<run_dir>/twin.sock");
  schema.Add("meta.address", &c.meta_address,
             "gRPC target of edge-meta-svc; default unix:<run_dir>/edge-meta.sock");
  schema.Add("edgehub.address", &c.edgehub_address,
             "gRPC target of edgehub-svc; default unix:<run_dir>/edgehub.sock");
  schema
      .Add("reconnect_max", &c.reconnect_max,
           "longest pause between attempts to reach twin-svc and edgehub-svc")
      .Min(absl::Milliseconds(200));
  DeclareMqtt(schema, c);
  schema
      .AddBytes("publications.bytes_max", &c.publications_bytes_max,
                "bytes that may wait for the broker; beyond, the oldest are dropped")
      .Min(1 << 20);
  schema
      .AddBytes("uploads.bytes_max", &c.uploads_bytes_max,
                "bytes of user messages that may wait for edgehub-svc; beyond, the oldest are "
                "dropped")
      .Min(1 << 20);
  schema.Add("age_max", &c.age_max, "how old may be what waits, of the time that this service runs")
      .Min(absl::Minutes(1));
  schema
      .AddBytes("requests.bytes_max", &c.requests_bytes_max,
                "bytes of devices' requests that may wait in memory; more wait in the log")
      .Min(1 << 20);
  schema
      .AddBytes("requests.log_bytes_max", &c.requests_log_bytes_max,
                "bytes of devices' requests that may wait in the log; more are dropped")
      .Min(1 << 20);
  schema
      .Add("requests.time_max", &c.requests_time_max,
           "how long a request is tried while twin-svc can't take it; then the answer is an error")
      .Min(absl::Seconds(1))
      .Max(absl::Minutes(2));
  schema
      .AddBytes("twins.cache_bytes_max", &c.twins_cache_bytes_max,
                "bytes of last known twins; those beyond get deltas, but no documents")
      .Min(0);
  schema.Check([&c] { return Check(c); });
}

}  // namespace skerry::eventbus
