#include "services/twin-svc/dmi/push_method.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "services/lib/json/json_reader.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using testing::IsOk;
using ::testing::StartsWith;
using testing::StatusIsWith;

absl::Status Convert(const std::string& text, v1beta1::PushMethod& out) {
  const nlohmann::json document = nlohmann::json::parse(text);
  absl::Status status;
  out = PushMethodToDmi(JsonReader(document, "DEVICE_INVALID", status));
  return status;
}

void ExpectPushMethod(const std::string& text, const std::string& expected_text) {
  v1beta1::PushMethod out, expected;
  EXPECT_THAT(Convert(text, out), IsOk());
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected));
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(expected, out)) << difference;
}

std::string RefusalOf(const std::string& text) {
  v1beta1::PushMethod out;
  return std::string(Convert(text, out).message());
}

TEST(PushMethodToDmiTest, SetsNothingThatIsNotThere) {
  ExpectPushMethod("{}", "");
  ExpectPushMethod(R"({"http": null, "dbMethod": null})", "");
}

TEST(PushMethodToDmiTest, SetsWhatIsThereAndEmpty) {
  ExpectPushMethod(R"({"mqtt": {}, "dbMethod": {"redis": {}}})", "mqtt {} dbMethod { redis {} }");
}

TEST(PushMethodToDmiTest, ConvertsHttp) {
  ExpectPushMethod(
      R"({"http": {"hostName": "http://10.0.0.1", "port": 8080, "requestPath": "/in",
                   "timeout": 3000}})",
      R"(http { hostname: "http://10.0.0.1" port: 8080 requestpath: "/in" timeout: 3000 })");
}

TEST(PushMethodToDmiTest, ConvertsMqtt) {
  ExpectPushMethod(
      R"({"mqtt": {"address": "tcp://127.0.0.1:1883", "topic": "a/b", "qos": 1,
                   "retained": true}})",
      R"(mqtt { address: "tcp://127.0.0.1:1883" topic: "a/b" qos: 1 retained: true })");
}

TEST(PushMethodToDmiTest, ConvertsOtel) {
  ExpectPushMethod(R"({"otel": {"endpointURL": "https://localhost:4318/v1/metrics"}})",
                   R"(otel { endpointURL: "https://localhost:4318/v1/metrics" })");
}

TEST(PushMethodToDmiTest, ConvertsInflux) {
  ExpectPushMethod(
      R"({"dbMethod": {"influxdb2": {
           "influxdb2ClientConfig": {"url": "http://db:8086", "org": "o", "bucket": "b"},
           "influxdb2DataConfig": {"measurement": "m", "tag": {"hall": "7"}, "fieldKey": "f"}}}})",
      R"(dbMethod { influxdb2 {
           influxdb2ClientConfig { url: "http://db:8086" org: "o" bucket: "b" }
           influxdb2DataConfig { measurement: "m" tag { key: "hall" value: "7" } fieldKey: "f" }
         } })");
}

TEST(PushMethodToDmiTest, ConvertsRedis) {
  ExpectPushMethod(
      R"({"dbMethod": {"redis": {"redisClientConfig":
           {"addr": "db:6379", "db": 1, "poolsize": 30, "minIdleConns": 2}}}})",
      R"(dbMethod { redis {
           redisClientConfig { addr: "db:6379" db: 1 poolsize: 30 minIdleConns: 2 } } })");
}

TEST(PushMethodToDmiTest, ConvertsTdEngine) {
  ExpectPushMethod(
      R"({"dbMethod": {"TDEngine": {"TDEngineClientConfig": {"addr": "db:6041",
                                                             "dbName": "d"}}}})",
      R"(dbMethod { tdengine { tdEngineClientConfig { addr: "db:6041" dbname: "d" } } })");
}

TEST(PushMethodToDmiTest, ConvertsMySql) {
  ExpectPushMethod(
      R"({"dbMethod": {"mysql": {"mysqlClientConfig":
           {"addr": "db:3306", "database": "d", "userName": "u"}}}})",
      R"(dbMethod { mysql { mysqlClientConfig { addr: "db:3306" database: "d" userName: "u" } } })");
}

TEST(PushMethodToDmiTest, ConvertsAnomalyDetection) {
  ExpectPushMethod(R"({"anomalyDetection": {"window": 20, "method": "mean"}})",
                   R"(anomalyDetection {
                        data { key: "window" value {
                          [type.googleapis.com/google.protobuf.FloatValue] { value: 20 } } }
                        data { key: "method" value {
                          [type.googleapis.com/google.protobuf.StringValue] { value: "mean" } } }
                      })");
}

TEST(PushMethodToDmiTest, NamesWhatIsWrong) {
  EXPECT_THAT(RefusalOf(R"({"http": 3})"), StartsWith("http is a number, must be an object"));
  EXPECT_THAT(RefusalOf(R"({"http": {"port": "80"}})"),
              StartsWith("http.port is a string, must be an integer"));
  EXPECT_THAT(RefusalOf(R"({"mqtt": {"qos": 2147483648}})"), StartsWith("mqtt.qos is a number"));
  EXPECT_THAT(RefusalOf(R"({"mqtt": {"retained": "true"}})"),
              StartsWith("mqtt.retained is a string, must be true or false"));
  EXPECT_THAT(
      RefusalOf(R"({"dbMethod": {"influxdb2": {"influxdb2DataConfig": {"tag": {"hall": 7}}}}})"),
      StartsWith("dbMethod.influxdb2.influxdb2DataConfig.tag.hall is a number"));
  EXPECT_THAT(RefusalOf(R"({"anomalyDetection": {"windows": [1]}})"),
              StartsWith("anomalyDetection.windows is a list"));
}

}  // namespace
}  // namespace skerry::twin
