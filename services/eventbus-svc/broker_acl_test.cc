// The broker's configuration that comes with the product: TLS, and each device on its own topics
// (eb-5.2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/eventbus-svc/testing/bus_fixture.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOk;
using skerry::testing::MqttProbe;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kConfig[] = "docker/compose/mosquitto/mosquitto.conf";
constexpr char kAcl[] = "docker/compose/mosquitto/acl";
constexpr char kUpdate[] = "$hw/events/device/plant/pump-1/twin/update";

class BrokerAclTest : public BusFixture {
 protected:
  // A CA, and a broker with that configuration.
  void SetUp() override {
    Shell("mkdir -p tls config data");
    Shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
        " -subj /CN=ca -keyout tls/ca.key -out tls/ca.crt");
    MakeCertificate("server", "127.0.0.1");
    MakeCertificate("eventbus", "skerry-eventbus");
    MakeCertificate("pump", "plant/pump-1");
    MakeCertificate("fan", "plant/fan");
    folder_.Write("config/acl", testing::ReadFileText(kAcl));
    const std::string config = testing::ReadFileText(kConfig);
    ASSERT_THAT(config, HasSubstr("\nlistener 8883\n"));
    auto broker = testing::LocalMosquitto::StartWith(absl::StrReplaceAll(
        config, {{"listener 8883", "listener {port} 127.0.0.1"}, {"/mosquitto", folder_.path()}}));
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
    config_.mqtt_broker = broker_->uri("ssl");
    config_.mqtt_ca_file = File("ca.crt");
  }
  void UseCertificate(const std::string& name) {
    config_.mqtt_certificate_file = File(name + ".crt");
    config_.mqtt_key_file = File(name + ".key");
  }
  std::string File(const std::string& name) const { return folder_.File("tls/" + name); }
  absl::StatusOr<std::unique_ptr<MqttProbe>> Device(const std::string& certificate) {
    return MqttProbe::Connect({.uri = broker_->uri("ssl"),
                               .client_id = certificate,
                               .ca_file = File("ca.crt"),
                               .certificate_file = File(certificate + ".crt"),
                               .key_file = File(certificate + ".key")});
  }
  void StartAllWithTls() {
    StartTwins();
    twins_->AddDevice("plant/pump-1");
    twins_->AddDevice("plant/fan");
    UseCertificate("eventbus");
    StartApp();
    ASSERT_TRUE(AwaitReady());
  }

 private:
  void Shell(const std::string& command) {
    ASSERT_EQ(std::system(absl::StrCat("cd ", folder_.path(), " && ", command, " 2>log").c_str()),
              0)
        << testing::ReadFileText(folder_.File("log"));
  }
  void MakeCertificate(const std::string& file, const std::string& name) {
    // A slash is a part of a device's name; in openssl's -subj it has to be escaped.
    folder_.Write("extensions", "subjectAltName=IP:127.0.0.1\n");
    Shell(absl::StrCat("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=",
                       absl::StrReplaceAll(name, {{"/", "\\/"}}), "' -keyout tls/", file,
                       ".key -out csr"));
    Shell(
        absl::StrCat("openssl x509 -req -in csr -CA tls/ca.crt -CAkey tls/ca.key -days 1"
                     " -CAcreateserial -extfile extensions -out tls/",
                     file, ".crt"));
  }
};

TEST_F(BrokerAclTest, ADeviceIsServedOnItsOwnTopics) {
  StartAllWithTls();
  auto device = Device("pump");
  ASSERT_THAT(device, IsOk());
  ASSERT_THAT((*device)->Subscribe("$hw/events/device/plant/pump-1/twin/update/result"), IsOk());
  ASSERT_THAT(
      (*device)->Publish(kUpdate, R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})"),
      IsOk());
  EXPECT_THAT((*device)->Next("$hw/events/device/plant/pump-1/twin/update/result"),
              HasSubstr("\"event_id\":\"e1\",\"timestamp\""));
  EXPECT_EQ(twins_->Get("plant/pump-1").properties().at("x").reported().value(), "1");
}

TEST_F(BrokerAclTest, ADeviceSpeaksForNoOtherAndHearsNoOther) {
  StartAllWithTls();
  auto fan = Device("fan");
  auto pump = Device("pump");
  ASSERT_THAT(fan, IsOk());
  ASSERT_THAT(pump, IsOk());
  (*fan)->Subscribe("$hw/events/device/#").IgnoreError();
  (*fan)->Subscribe("#").IgnoreError();
  ASSERT_THAT((*fan)->Subscribe("$hw/events/device/plant/fan/twin/update/result"), IsOk());
  // Acknowledged, and given to nobody.
  (*fan)
      ->Publish(kUpdate, R"({"event_id":"evil","twin":{"x":{"actual":{"value":"6"}}}})")
      .IgnoreError();
  (*fan)->Publish("plant/user/a", "x").IgnoreError();
  ASSERT_THAT(
      (*pump)->Publish(kUpdate, R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})"),
      IsOk());
  ASSERT_THAT((*fan)->Publish("$hw/events/device/plant/fan/twin/update",
                              R"({"event_id":"e2","twin":{"y":{"actual":{"value":"1"}}}})"),
              IsOk());
  EXPECT_THAT((*fan)->Next("$hw/events/device/plant/fan/twin/update/result"), HasSubstr("e2"));
  EXPECT_TRUE(Await([&] { return twins_->writes() == 2; }));
  EXPECT_EQ(twins_->Get("plant/pump-1").properties().at("x").reported().value(), "1");
  EXPECT_EQ(Metric("skerry_eventbus_messages_received_total{topic=\"user\"}"), 0);
  for (const auto& each : (*fan)->Take()) {
    EXPECT_THAT(each.topic, HasSubstr("plant/fan")) << each.payload;
  }
}

TEST_F(BrokerAclTest, NobodyComesInWithoutACertificate) {
  EXPECT_FALSE(MqttProbe::Connect({.uri = broker_->uri("ssl"), .ca_file = File("ca.crt")}).ok());
  StartTwins();
  StartApp();  // It has none either.
  EXPECT_TRUE(Await(
      [&] { return Metric("skerry_eventbus_mqtt_connects_total{result=\"unreachable\"}") >= 1; }));
  EXPECT_THAT(app_->readiness().WaitingFor(), HasSubstr("MQTT broker"));
  EXPECT_EQ(Metric("skerry_eventbus_mqtt_connected"), 0);
}

TEST_F(BrokerAclTest, ABrokerOfAnotherCaIsNone) {
  ASSERT_EQ(std::system(absl::StrCat("cd ", folder_.path(),
                                     " && openssl req -x509 -newkey ec -pkeyopt "
                                     "ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=other "
                                     "-keyout other.key -out tls/other.crt 2>log")
                            .c_str()),
            0);
  config_.mqtt_ca_file = File("other.crt");
  UseCertificate("eventbus");
  StartApp();
  EXPECT_TRUE(Await([&] {
    return absl::StrContains(app_->readiness().WaitingFor(), "certificate verify failed");
  })) << app_->readiness().WaitingFor();
  EXPECT_EQ(Metric("skerry_eventbus_mqtt_connects_total{result=\"ok\"}"), 0);
}

}  // namespace
}  // namespace skerry::eventbus
