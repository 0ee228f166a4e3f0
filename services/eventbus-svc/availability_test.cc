// The broker, twin-svc, edgehub-svc or this service away and back (eb-2 to eb-4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "services/eventbus-svc/testing/bus_fixture.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOk;
using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPump[] = "plant/pump-1";
constexpr char kDeltaTopic[] = "$hw/events/device/plant/pump-1/twin/update/delta";
constexpr char kReplaced[] = "skerry_eventbus_publications_replaced_total";

class BusAvailabilityTest : public BusFixture {
 protected:
  // A broker that is killed in the test, and knows its clients' sessions again afterwards.
  void StartAllOnDurableBroker() {
    StartBroker(
        "allow_anonymous true\npersistence true\npersistence_location {dir}/\n"
        "autosave_interval 1\nautosave_on_changes true");
    StartTwins();
    twins_->AddDevice(kPump);
    ConnectKeeper();
    ASSERT_THAT(probe_->Subscribe("$hw/events/#"), IsOk());
    ASSERT_TRUE(Await([&] {
      const std::string saved = testing::ReadFileText(broker_->folder().File("mosquitto.db"));
      return absl::StrContains(saved, "keeper") && absl::StrContains(saved, "$hw/events/#");
    }));
    StartApp();
    ASSERT_TRUE(AwaitReady());
    probe_->Next("$hw/events/node/edge-1/membership/updated");
  }
  void ConnectKeeper() {
    auto probe = testing::MqttProbe::Connect(
        {.uri = broker_->uri(), .client_id = "keeper", .clean_session = false});
    ASSERT_THAT(probe, IsOk());
    probe_ = *std::move(probe);
  }
  void KillBroker() {
    probe_.reset();
    broker_->Kill();
    ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_mqtt_connected") == 0; }));
  }
  void RestartBroker() {
    ASSERT_THAT(broker_->Restart(), IsOk());
    ConnectKeeper();
  }
  // What the broker has and has not acknowledged goes again: it would be told twice.
  void StopAppOnceAllIsAcknowledged() {
    ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 0; }));
    StopApp();
  }
  // The values of "speed" in all deltas that come before the answer to a request.
  std::vector<std::string> Deltas() {
    Publish("twin/get", R"({"event_id":"mark"})");
    Next("twin/get/result");
    std::vector<std::string> values;
    for (const auto& each : probe_->Take()) {
      if (each.topic == kDeltaTopic) values.push_back(Json::parse(each.payload)["delta"]["speed"]);
    }
    return values;
  }
};

// eb-2.2
TEST_F(BusAvailabilityTest, ABrokerThatComesBackGetsTheNewestDeltaAndNotItsHistory) {
  StartAllOnDurableBroker();
  KillBroker();
  for (const char* speed : {"5", "6", "7"}) {
    const double replaced = Metric(kReplaced);
    twins_->SetDesired(kPump, "speed", speed);
    if (speed != std::string("5")) {
      ASSERT_TRUE(Await([&] { return Metric(kReplaced) >= replaced + 2; }));
    } else {
      ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 2; }));
    }
  }
  RestartBroker();
  EXPECT_EQ(Next("twin/update/delta")["delta"], Json({{"speed", "7"}}));
  EXPECT_THAT(Deltas(), ElementsAre());
}

// eb-2.2
TEST_F(BusAvailabilityTest, ADeltaThatIsNotTrueAnyMoreIsTakenBack) {
  StartAllOnDurableBroker();
  KillBroker();
  twins_->SetDesired(kPump, "speed", "5");
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 2; }));
  twins_->SetReported(kPump, "speed", "5");
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 1; }));
  RestartBroker();
  ASSERT_TRUE(AwaitReady());
  EXPECT_THAT(Deltas(), ElementsAre());
}

// eb-2.1
TEST_F(BusAvailabilityTest, AnswersWaitForTheBrokerInOrderAndOverARestartOfThisService) {
  StartAllOnDurableBroker();
  twins_->Hold(true);
  for (int i = 0; i < 20; ++i) {
    Publish("twin/update", absl::StrCat(R"({"event_id":"e)", i,
                                        R"(","twin":{"n":{"actual":{"value":")", i, "\"}}}}"));
  }
  ASSERT_TRUE(twins_->AwaitHeld());
  ASSERT_TRUE(Await([&] {
    return Metric("skerry_eventbus_messages_received_total{topic=\"twin_update\"}") == 20;
  }));
  KillBroker();
  twins_->Hold(false);
  // A result each, and the last document.
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 21; }));
  StopApp();
  StartApp();
  EXPECT_EQ(Metric("skerry_eventbus_publications_waiting"), 21);
  RestartBroker();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Next("twin/update/result")["event_id"], absl::StrCat("e", i));
  }
  EXPECT_EQ(Next("twin/update/document")["event_id"], "e19");
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_publications_waiting") == 0; }));
}

// eb-2.3
TEST_F(BusAvailabilityTest, WhatChangedWhileThisServiceWasAwayIsToldOnce) {
  StartAllOnDurableBroker();
  StopAppOnceAllIsAcknowledged();
  twins_->SetDesired(kPump, "speed", "9");
  twins_->AddDevice("plant/new");
  StartApp();
  EXPECT_EQ(Next("twin/update/delta")["delta"], Json({{"speed", "9"}}));
  const std::string updated = "$hw/events/node/edge-1/membership/updated";
  EXPECT_THAT(probe_->Next(updated), HasSubstr("plant/new"));
  StopAppOnceAllIsAcknowledged();
  twins_->RemoveDevice("plant/new");
  StartApp();
  EXPECT_THAT(probe_->Next(updated), HasSubstr("\"removed_devices\":[{\"id\":\"plant/new\""));
  ASSERT_TRUE(AwaitReady());
  EXPECT_THAT(Deltas(), ElementsAre());
}

// eb-3.1
TEST_F(BusAvailabilityTest, ARequestWaitsForTwinSvcAndIsThenAnsweredAnyway) {
  config_.requests_time_max = absl::Seconds(1);
  StartAll();
  StopTwins();
  Publish("twin/update", R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})");
  Json result = Next("twin/update/result");
  EXPECT_EQ(result["code"], 500);
  EXPECT_EQ(result["event_id"], "e1");
  ASSERT_THAT(probe_->Publish("$hw/events/node/edge-1/membership/get", "{}"), IsOk());
  EXPECT_EQ(Json::parse(probe_->Next("$hw/events/node/edge-1/membership/get/result"))["code"], 500);
  EXPECT_THAT(app_->readiness().WaitingFor(), HasSubstr("twin-svc"));

  StartTwins();
  twins_->AddDevice(kPump);
  ASSERT_TRUE(AwaitReady());
  Publish("twin/update", R"({"event_id":"e2","twin":{"x":{"actual":{"value":"1"}}}})");
  result = Next("twin/update/result");
  EXPECT_FALSE(result.contains("code")) << result;
}

// eb-3.2
TEST_F(BusAvailabilityTest, ARedeliveryChangesNothingAndIsAnsweredAgain) {
  StartAll();
  const std::string update = R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})";
  Publish("twin/update", update);
  Next("twin/update/result");
  Publish("twin/update", R"({"event_id":"e1","twin":{"x":{"actual":{"value":"2"}}}})");
  Next("twin/update/result");  // Another request, though its client names it as the first one.
  Publish("twin/update", update);
  EXPECT_EQ(Next("twin/update/result")["event_id"], "e1");
  EXPECT_EQ(twins_->Get(kPump).properties().at("x").reported().value(), "2");
}

// eb-3.4
TEST_F(BusAvailabilityTest, WhatIsWithTwinSvcAtAnOrderlyEndIsDoneByTheNextProcess) {
  StartAll();
  std::vector<std::string> devices;
  for (int i = 1; i <= 5; ++i) {
    devices.push_back(absl::StrCat("plant/pump-", i));
    if (i > 1) twins_->AddDevice(devices.back());
  }
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_devices") == 5; }));
  twins_->Hold(true);
  for (const std::string& device : devices) {
    Publish("twin/update", R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})", device);
  }
  ASSERT_TRUE(twins_->AwaitHeld());
  ASSERT_TRUE(Await([&] {
    return Metric("skerry_eventbus_messages_received_total{topic=\"twin_update\"}") == 5;
  }));
  StopApp();
  twins_->Hold(false);
  StartApp();
  for (const std::string& device : devices) {
    const Json result = Next("twin/update/result", device);
    EXPECT_FALSE(result.contains("code")) << result;
    EXPECT_EQ(twins_->Get(device).properties().at("x").reported().value(), "1");
  }
  StopApp();
  StartApp();
  ASSERT_TRUE(AwaitReady());
  EXPECT_EQ(Metric("skerry_eventbus_requests_resumed_total"), 0) << "none is left";
}

// eb-3.3
TEST_F(BusAvailabilityTest, RetainedRequestsAreNone) {
  StartBroker();
  StartTwins();
  twins_->AddDevice(kPump);
  probe_ = Probe("device");
  ASSERT_THAT(
      probe_->Publish("$hw/events/device/plant/pump-1/twin/update",
                      R"({"event_id":"old","twin":{"x":{"actual":{"value":"1"}}}})", 1, true),
      IsOk());
  StartApp();
  EXPECT_TRUE(Await(
      [&] { return Metric("skerry_eventbus_messages_refused_total{reason=\"retained\"}") == 1; }));
  EXPECT_EQ(twins_->writes(), 0);
}

// eb-4.1
TEST_F(BusAvailabilityTest, UserMessagesReachEdgehubOnceAndInOrder) {
  config_.mqtt_user_topics = {"alarms/#"};
  StartBroker();
  StartApp();
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_mqtt_connected") == 1; }));
  probe_ = Probe("device");
  const std::vector<std::string> topics = {"plant/user/a", "SYS/dis/upload_records",
                                           "$hw/events/upload/x", "alarms/fire"};
  for (const std::string& topic : topics) {
    ASSERT_THAT(probe_->Publish(topic, absl::StrCat("to ", topic)), IsOk());
  }
  ASSERT_THAT(probe_->Publish("elsewhere", "x"), IsOk());
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_uploads_waiting") == 4; }));
  StopApp();
  StartApp();
  StartHub();
  ASSERT_TRUE(hub_->Await([&] { return hub_->events().size() >= 4; }));
  const auto events = hub_->events();
  ASSERT_EQ(events.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    v1::UserMessage message;
    ASSERT_TRUE(message.ParseFromString(events[i].value));
    EXPECT_EQ(events[i].stream, "usermessages");
    EXPECT_EQ(events[i].key, topics[i]);
    EXPECT_EQ(message.topic(), topics[i]);
    EXPECT_EQ(message.payload(), "to " + topics[i]);
  }
  EXPECT_TRUE(Await([&] { return Metric("skerry_eventbus_uploads_waiting") == 0; }));
}

// eb-4.2
TEST_F(BusAvailabilityTest, TheCloudPublishesNowOrNotAtAll) {
  StartAll();
  ASSERT_THAT(probe_->Subscribe("cmd/#"), IsOk());
  v1::UserMessage message;
  message.set_topic("cmd/led");
  message.set_payload("on");
  ASSERT_TRUE(hub_->Await([&] { return hub_->registrations() > 0; }));
  EXPECT_THAT(hub_->registration().command_types(), ElementsAre("mqttpublish"));
  hub_->SendCommand("k1", "mqttpublish", message.SerializeAsString());
  EXPECT_EQ(hub_->AwaitCommand("k1").status().code(), 0);
  EXPECT_EQ(probe_->Next("cmd/led"), "on");
  hub_->SendCommand("k2", "mqttpublish", "\xff\xff");
  EXPECT_EQ(hub_->AwaitCommand("k2").status().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  message.set_topic("cmd/+");
  hub_->SendCommand("k3", "mqttpublish", message.SerializeAsString());
  EXPECT_EQ(hub_->AwaitCommand("k3").status().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  message.set_topic("cmd/led");
  KillBroker();
  hub_->SendCommand("k4", "mqttpublish", message.SerializeAsString());
  EXPECT_EQ(hub_->AwaitCommand("k4").status().code(),
            static_cast<int>(absl::StatusCode::kUnavailable));
}

// eb-3.5: what waits for twin-svc does not hold up what is published.
TEST_F(BusAvailabilityTest, PublishesWhileMoreRequestsWaitThanItHasRoomFor) {
  config_.requests_bytes_max = 16 << 10;
  config_.requests_time_max = absl::Seconds(60);
  StartBroker();
  StartHub();
  StartApp();
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_mqtt_connected") == 1; }));
  probe_ = Probe("device");
  ASSERT_THAT(probe_->Subscribe("cmd/#"), IsOk());
  const std::string update =
      absl::StrCat(R"({"twin":{"x":{"actual":{"value":")", std::string(300, '1'), R"("}}}})");
  for (int i = 0; i < 60; ++i) Publish("twin/update", update);
  ASSERT_TRUE(Await([&] { return Metric("skerry_eventbus_requests_deferred_total") > 30; }));
  v1::UserMessage message;
  message.set_topic("cmd/led");
  message.set_payload("on");
  ASSERT_TRUE(hub_->Await([&] { return hub_->registrations() > 0; }));
  hub_->SendCommand("k1", "mqttpublish", message.SerializeAsString());
  EXPECT_EQ(hub_->AwaitCommand("k1").status().code(), 0);
  EXPECT_EQ(probe_->Next("cmd/led"), "on");
  StartTwins();
  twins_->AddDevice("plant/pump-1");
  EXPECT_TRUE(Await([&] { return twins_->writes() == 60; }));
  EXPECT_EQ(Metric("skerry_eventbus_messages_refused_total{reason=\"busy\"}"), 0);
}

// eb-5.1
TEST_F(BusAvailabilityTest, ReadinessSaysWhyTheBrokerRefuses) {
  StartBroker("allow_anonymous false\npassword_file /dev/null");
  config_.mqtt_credentials_file = folder_.Write("credentials", "eventbus\nwrong\n");
  StartApp();
  EXPECT_TRUE(Await(
      [&] { return absl::StrContains(app_->readiness().WaitingFor(), "mqtt.credentials_file"); }));
  EXPECT_GE(Metric("skerry_eventbus_mqtt_connects_total{result=\"refused\"}"), 1);
  EXPECT_EQ(Metric("skerry_eventbus_mqtt_connects_total{result=\"ok\"}"), 0);
}

}  // namespace
}  // namespace skerry::eventbus
