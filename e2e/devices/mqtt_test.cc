// MQTT devices, a real broker, eventbus-svc and twin-svc as they are, killed at will.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "e2e/devices/child_process.h"
#include "e2e/devices/object_server.h"
#include "services/eventbus-svc/testing/local_mosquitto.h"
#include "services/eventbus-svc/testing/mqtt_probe.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

using skerry::testing::IsOk;
using skerry::testing::LocalMosquitto;
using skerry::testing::MqttProbe;
using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(40);
constexpr char kDevices[] = "devices.devices.kubeedge.io";
constexpr char kModels[] = "devicemodels.devices.kubeedge.io";
constexpr char kTopic[] = "$hw/events/device/default/temp-1/";

class MqttTest : public ::testing::Test {
 protected:
  void SetUp() override {
    objects_.Put(kModels, "default/sensor",
                 R"({"metadata":{"namespace":"default","name":"sensor"},"spec":{"properties":[
                     {"name":"target","type":"INT","accessMode":"ReadWrite","minimum":"0",
                      "maximum":"100"}]}})");
    Declare(1, "10");
    auto broker = LocalMosquitto::Start();
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
    bus_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"services/eventbus-svc/eventbus-svc", "--node_name", "edge-1",
                                 "--run_dir", dir_.path(), "--state_dir", dir_.File("state"),
                                 "--mqtt_broker", broker_->uri(), "--mqtt_reconnect_max", "500ms",
                                 "--reconnect_max", "500ms"},
        dir_.File("bus.log"));
    auto probe = MqttProbe::Connect({.uri = broker_->uri(), .client_id = "temp-1"});
    ASSERT_THAT(probe, IsOk());
    probe_ = *std::move(probe);
    ASSERT_THAT(probe_->Subscribe("$hw/events/#"), IsOk());
    twin_stub_ = twin::v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = Socket("twin"), .backoff_max = absl::Seconds(1)}));
    twin_.Start();
    bus_->Start();
    ASSERT_THAT(probe_->Next("$hw/events/node/edge-1/membership/updated", kPatience),
                HasSubstr("default/temp-1"));
  }
  ~MqttTest() override {
    if (!HasFailure()) return;
    for (const char* log : {"twin.log", "bus.log"}) {
      std::cerr << log << ":\n" << skerry::testing::ReadFileText(dir_.File(log));
    }
  }

  std::string Socket(const std::string& name) {
    return absl::StrCat("unix:", dir_.File(name + ".sock"));
  }
  void Declare(int generation, const std::string& target) {
    objects_.Put(
        kDevices, "default/temp-1",
        absl::StrCat(R"({"metadata":{"namespace":"default","name":"temp-1","uid":"u1",
                         "generation":)",
                     generation, R"(},"spec":{"deviceModelRef":{"name":"sensor"},"properties":[
                         {"name":"target","desired":{"value":")",
                     target, R"("}}]}})"));
  }
  twin::v1::Property Get(const std::string& property) {
    twin::v1::GetTwinRequest request;
    request.set_name("namespaces/default/devices/temp-1/twin");
    twin::v1::Twin twin;
    const absl::Status status = rpc::CallUnary(kPatience, [&](grpc::ClientContext* context) {
      return twin_stub_->GetTwin(context, request, &twin);
    });
    return status.ok() ? (*twin.mutable_properties())[property] : twin::v1::Property();
  }
  Json Next(const std::string& suffix) {
    return Json::parse(probe_->Next(kTopic + suffix, kPatience), nullptr, false);
  }
  void Publish(const std::string& suffix, const std::string& payload) {
    ASSERT_THAT(probe_->Publish(kTopic + suffix, payload), IsOk());
  }

  skerry::testing::TempDir dir_;
  ObjectServer objects_{Socket("edge-meta")};
  std::unique_ptr<LocalMosquitto> broker_;
  ChildProcess twin_{{"services/twin-svc/twin-svc", "--run_dir", dir_.path(), "--state_dir",
                      dir_.File("state"), "--meta_reconnect_max", "200ms"},
                     dir_.File("twin.log")};
  std::unique_ptr<ChildProcess> bus_;
  std::unique_ptr<MqttProbe> probe_;
  std::unique_ptr<twin::v1::TwinService::Stub> twin_stub_;
};

// [eb-1.1] to [eb-1.6] with the twins as they are.
TEST_F(MqttTest, KubeEdgesTranscript) {
  EXPECT_EQ(Next("twin/update/delta")["delta"], Json({{"target", "10"}}));
  Publish("twin/update", R"({"event_id":"e1","timestamp":1,"twin":{"temp":{"expected":
      {"value":"20"},"actual":{"value":"18"},"metadata":{"type":"int"}}}})");
  Json result = Next("twin/update/result");
  EXPECT_EQ(result["event_id"], "e1");
  EXPECT_EQ(result["twin"]["temp"]["metadata"], Json({{"type", "int"}})) << result;
  EXPECT_EQ(Next("twin/update/document")["twin"]["temp"]["current"]["actual"]["value"], "18");
  EXPECT_EQ(Next("twin/update/delta")["delta"], Json({{"target", "10"}, {"temp", "20"}}));
  Publish("twin/update", R"({"event_id":"e3","twin":{"temp":{"actual":{"value":"abc"}}}})");
  EXPECT_EQ(Next("twin/update/result")["reason"], "the value is not int or integer");
  // What the model does not allow.
  Publish("twin/update", R"({"event_id":"e4","twin":{"target":{"expected":{"value":"101"}}}})");
  result = Next("twin/update/result");
  EXPECT_EQ(result["code"], 400) << result;
  Publish("twin/update", R"({"event_id":"e5","twin":{"target":{"actual":{"value":"10"}}}})");
  EXPECT_EQ(Next("twin/update/delta")["delta"], Json({{"temp", "20"}}));
  EXPECT_EQ(Get("target").reported().writer(), "mqtt");
  Publish("twin/get", R"({"event_id":"g1"})");
  result = Next("twin/get/result");
  EXPECT_EQ(result["twin"]["temp"]["actual"]["value"], "18") << result;
  EXPECT_EQ(result["twin"]["target"]["expected"]["value"], "10") << result;
  // A null removes what no Device declares, and nothing else.
  while (Next("twin/update/result")["event_id"] != "e5") {
  }
  Publish("twin/update", R"({"event_id":"e7","twin":{"temp":null}})");
  result = Next("twin/update/result");
  EXPECT_TRUE(result["twin"]["temp"].is_null()) << result;
  Publish("twin/update", R"({"event_id":"e8","twin":{"target":null}})");
  EXPECT_EQ(Next("twin/update/result")["code"], 400);
  Publish("state/update", R"({"event_id":"s1","state":"online"})");
  EXPECT_EQ(Next("state/update/result")["device"]["state"], "online");
  EXPECT_EQ(twin_.Terminate(), 0);
  EXPECT_EQ(bus_->Terminate(), 0);
}

// D1: whoever is killed, a value never goes back, and a client that repeats what was not answered
// is heard once.
TEST_F(MqttTest, KilledAtAnyTime) {
  int last = 0;
  for (int i = 1; i <= 40; ++i) {
    if (i % 5 == 0) {
      ChildProcess& victim = i % 10 == 0 ? twin_ : *bus_;
      victim.Kill();
      victim.Start();
    }
    const std::string payload =
        absl::StrCat(R"({"event_id":"e)", i, R"(","twin":{"n":{"actual":{"value":")", i, "\"}}}}");
    const absl::Time limit = absl::Now() + kPatience;
    for (bool answered = false; !answered;) {
      ASSERT_LT(absl::Now(), limit) << "no answer to " << i;
      Publish("twin/update", payload);
      for (std::string text; !answered && text != MqttProbe::kNothing;) {
        text = probe_->Next(absl::StrCat(kTopic, "twin/update/result"), absl::Seconds(2));
        const Json result = Json::parse(text, nullptr, false);
        answered = result.is_object() && result["event_id"] == absl::StrCat("e", i) &&
                   !result.contains("code");
      }
    }
    int now = 0;
    ASSERT_TRUE(absl::SimpleAtoi(Get("n").reported().value(), &now));
    ASSERT_EQ(now, i) << "after " << last;
    last = now;
  }
  // The cloud's wish reaches the device, though eventbus-svc was away when it came.
  bus_->Kill();
  Declare(2, "30");
  bus_->Start();
  Json delta;
  do {
    delta = Next("twin/update/delta");
  } while (delta.is_object() && delta["delta"]["target"] != "30");
  EXPECT_EQ(delta["delta"]["target"], "30");
}

}  // namespace
}  // namespace skerry::e2e
