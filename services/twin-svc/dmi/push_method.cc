#include "services/twin-svc/dmi/push_method.h"

#include <string>

#include "services/twin-svc/dmi/custom_values.h"

// The names in JSON and in the contract differ in case: hostName and hostname, TDEngine and
// tdengine, dbName and dbname.
namespace skerry::twin {
namespace {

void FillInflux(const JsonReader& json, v1beta1::DBMethodInfluxdb2& out) {
  if (const JsonReader client = json.Object("influxdb2ClientConfig"); client.present()) {
    v1beta1::Influxdb2ClientConfig& config = *out.mutable_influxdb2clientconfig();
    config.set_url(client.Str("url"));
    config.set_org(client.Str("org"));
    config.set_bucket(client.Str("bucket"));
  }
  if (const JsonReader data = json.Object("influxdb2DataConfig"); data.present()) {
    v1beta1::Influxdb2DataConfig& config = *out.mutable_influxdb2dataconfig();
    config.set_measurement(data.Str("measurement"));
    for (auto& [key, value] : data.StringMap("tag")) (*config.mutable_tag())[key] = value;
    config.set_fieldkey(data.Str("fieldKey"));
  }
}

void FillRedis(const JsonReader& json, v1beta1::DBMethodRedis& out) {
  const JsonReader client = json.Object("redisClientConfig");
  if (!client.present()) return;
  v1beta1::RedisClientConfig& config = *out.mutable_redisclientconfig();
  config.set_addr(client.Str("addr"));
  config.set_db(client.Int32("db"));
  config.set_poolsize(client.Int32("poolsize"));
  config.set_minidleconns(client.Int32("minIdleConns"));
}

void FillTdEngine(const JsonReader& json, v1beta1::DBMethodTDEngine& out) {
  const JsonReader client = json.Object("TDEngineClientConfig");
  if (!client.present()) return;
  v1beta1::TDEngineClientConfig& config = *out.mutable_tdengineclientconfig();
  config.set_addr(client.Str("addr"));
  config.set_dbname(client.Str("dbName"));
}

void FillMySql(const JsonReader& json, v1beta1::DBMethodMySQL& out) {
  const JsonReader client = json.Object("mysqlClientConfig");
  if (!client.present()) return;
  v1beta1::MySQLClientConfig& config = *out.mutable_mysqlclientconfig();
  config.set_addr(client.Str("addr"));
  config.set_database(client.Str("database"));
  config.set_username(client.Str("userName"));
}

void FillDatabase(const JsonReader& json, v1beta1::DBMethod& out) {
  if (const JsonReader influx = json.Object("influxdb2"); influx.present())
    FillInflux(influx, *out.mutable_influxdb2());
  if (const JsonReader redis = json.Object("redis"); redis.present())
    FillRedis(redis, *out.mutable_redis());
  if (const JsonReader td_engine = json.Object("TDEngine"); td_engine.present())
    FillTdEngine(td_engine, *out.mutable_tdengine());
  if (const JsonReader mysql = json.Object("mysql"); mysql.present())
    FillMySql(mysql, *out.mutable_mysql());
}

}  // namespace

v1beta1::PushMethod PushMethodToDmi(const JsonReader& json) {
  v1beta1::PushMethod out;
  if (const JsonReader http = json.Object("http"); http.present()) {
    v1beta1::PushMethodHTTP& target = *out.mutable_http();
    target.set_hostname(http.Str("hostName"));
    target.set_port(http.Int64("port"));
    target.set_requestpath(http.Str("requestPath"));
    target.set_timeout(http.Int64("timeout"));
  }
  if (const JsonReader mqtt = json.Object("mqtt"); mqtt.present()) {
    v1beta1::PushMethodMQTT& target = *out.mutable_mqtt();
    target.set_address(mqtt.Str("address"));
    target.set_topic(mqtt.Str("topic"));
    target.set_qos(mqtt.Int32("qos"));
    target.set_retained(mqtt.Bool("retained"));
  }
  if (const JsonReader otel = json.Object("otel"); otel.present())
    out.mutable_otel()->set_endpointurl(otel.Str("endpointURL"));
  if (const JsonReader database = json.Object("dbMethod"); database.present())
    FillDatabase(database, *out.mutable_dbmethod());
  if (const JsonReader detection = json.Object("anomalyDetection"); detection.present())
    AddMissingValues(detection, *out.mutable_anomalydetection()->mutable_data());
  return out;
}

}  // namespace skerry::twin
