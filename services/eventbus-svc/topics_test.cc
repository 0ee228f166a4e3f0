// Every topic of KubeEdge's, with its documented answer (research/kubeedge.md 6.2 to 6.4), from a
// device to twin-svc and back through a real broker (eb-1.1 to eb-1.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/testing/bus_fixture.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOk;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kResult[] = "twin/update/result";
constexpr char kDocument[] = "twin/update/document";
constexpr char kDelta[] = "twin/update/delta";

class BusTopicsTest : public BusFixture {
 protected:
  BusTopicsTest() { StartAll(); }
};

Json Parse(const std::string& text) { return Json::parse(text); }

// eb-1.1: the transcript of an update, and of the next one, which mends the delta.
TEST_F(BusTopicsTest, TwinUpdate) {
  Publish("twin/update",
          R"({"event_id":"e1","timestamp":1,"twin":{"temp":{"expected":{"value":"20"},
             "actual":{"value":"18"},"metadata":{"type":"int"}}}})");
  const Json after = Parse(R"({"expected":{"value":"20","metadata":{}},
      "actual":{"value":"18","metadata":{}},"optional":true,"metadata":{"type":"int"}})");
  EXPECT_EQ(Next(kResult), Json({{"event_id", "e1"}, {"twin", {{"temp", after}}}}));
  EXPECT_EQ(Next(kDocument), Json({{"event_id", "e1"},
                                   {"twin", {{"temp", {{"last", nullptr}, {"current", after}}}}}}));
  const Json delta = Next(kDelta);
  EXPECT_EQ(delta["twin"], Json({{"temp", after}}));
  EXPECT_EQ(delta["delta"], Json({{"temp", "20"}}));
  EXPECT_EQ(delta["event_id"].get<std::string>().size(), 36u);

  Publish("twin/update", R"({"event_id":"e2","twin":{"temp":{"actual":{"value":"20"}}}})");
  Json mended = after;
  mended["actual"]["value"] = "20";
  Json only_actual = mended;
  only_actual.erase("expected");
  EXPECT_EQ(Next(kResult), Json({{"event_id", "e2"}, {"twin", {{"temp", only_actual}}}}));
  EXPECT_EQ(Next(kDocument)["twin"]["temp"], Json({{"last", after}, {"current", mended}}));

  // No delta comes for it: the next one is that of the next update.
  Publish("twin/update", R"({"event_id":"e3","twin":{"temp":{"expected":{"value":"30"}}}})");
  EXPECT_EQ(Next(kDelta)["delta"], Json({{"temp", "30"}}));
}

TEST_F(BusTopicsTest, TwinUpdateOfATypeThatIsNotKept) {
  Publish("twin/update", R"({"event_id":"e1","twin":{"temp":{"actual":{"value":"18"},
                             "metadata":{"type":"int"}}}})");
  Next(kResult);
  const auto version = twins_->Get("plant/pump-1").version();
  Publish("twin/update", R"({"event_id":"e3","twin":{"temp":{"actual":{"value":"abc"}}}})");
  EXPECT_EQ(Next(kResult), Parse(R"({"event_id":"e3","code":400,
                                     "reason":"the value is not int or integer"})"));
  EXPECT_EQ(twins_->Get("plant/pump-1").version(), version);
}

TEST_F(BusTopicsTest, TwinUpdateThatDeletes) {
  Publish("twin/update", R"({"event_id":"e6","twin":{"rate":{"actual":{"value":"3"}}}})");
  Next(kResult);
  Next(kDocument);
  Publish("twin/update", R"({"event_id":"e7","twin":{"rate":null}})");
  EXPECT_EQ(Next(kResult), Parse(R"({"event_id":"e7","twin":{"rate":null}})"));
  const Json document = Next(kDocument);
  EXPECT_EQ(document["twin"]["rate"]["last"]["actual"]["value"], "3");
  EXPECT_TRUE(document["twin"]["rate"]["current"].is_null());
  EXPECT_EQ(twins_->Get("plant/pump-1").properties().count("rate"), 0u);
}

TEST_F(BusTopicsTest, TwinUpdateThatChangesNothing) {
  Publish("twin/update", R"({"event_id":"e1","twin":{}})");
  EXPECT_EQ(Next(kResult), Parse(R"({"event_id":"e1","twin":{}})"));
  Publish("twin/get", R"({"event_id":"g"})");
  Next("twin/get/result");
  for (const auto& each : probe_->Take()) EXPECT_THAT(each.topic, Not(HasSubstr("document")));
  EXPECT_EQ(twins_->Get("plant/pump-1").version(), 0u);
}

// eb-1.2
TEST_F(BusTopicsTest, TwinGet) {
  twins_->SetReported("plant/pump-1", "rate", "3");
  Publish("twin/get", R"({"event_id":"g1","timestamp":7})");
  EXPECT_EQ(Next("twin/get/result"),
            Parse(R"({"event_id":"g1","twin":{"rate":{"actual":{"value":"3","metadata":{}},
                      "optional":true,"metadata":{"type":"string"}}}})"));
  Publish("twin/get", "{}");
  EXPECT_EQ(Next("twin/get/result")["event_id"].get<std::string>().size(), 36u);
}

// eb-1.3
TEST_F(BusTopicsTest, StateUpdate) {
  Publish("state/update", R"({"event_id":"s1","timestamp":1,"state":"online"})");
  Json result = Next("state/update/result");
  EXPECT_EQ(result["device"]["name"], "pump-1");
  EXPECT_EQ(result["device"]["state"], "online");
  EXPECT_THAT(result["device"]["lastOnlineTime"].get<std::string>(),
              ::testing::MatchesRegex("2[0-9]{3}-[0-9T:-]+Z"));
  EXPECT_FALSE(result["device"].contains("id"));
  Publish("state/update", R"({"event_id":"s2","state":"offline"})");
  result = Next("state/update/result");
  EXPECT_EQ(result["device"], Parse(R"({"name":"pump-1","state":"offline"})"));
  EXPECT_EQ(twins_->Get("plant/pump-1").state().state(), "offline");
}

// eb-1.4
TEST_F(BusTopicsTest, Membership) {
  const std::string updated = "$hw/events/node/edge-1/membership/updated";
  EXPECT_EQ(WithoutTimes(Json::parse(probe_->Next(updated)))["added_devices"],
            Parse(R"([{"id":"plant/pump-1","name":"pump-1"}])"));
  twins_->AddDevice("plant/fan");
  Json message = WithoutTimes(Json::parse(probe_->Next(updated)));
  EXPECT_EQ(message["added_devices"], Parse(R"([{"id":"plant/fan","name":"fan"}])"));
  EXPECT_TRUE(message["removed_devices"].is_null());
  ASSERT_THAT(probe_->Publish("$hw/events/node/edge-1/membership/get", R"({"event_id":"m1"})"),
              IsOk());
  const std::string result = "$hw/events/node/edge-1/membership/get/result";
  EXPECT_EQ(WithoutTimes(Json::parse(probe_->Next(result))),
            Parse(R"({"event_id":"m1","devices":[{"id":"plant/fan","name":"fan"},
                      {"id":"plant/pump-1","name":"pump-1"}]})"));
  twins_->RemoveDevice("plant/fan");
  message = WithoutTimes(Json::parse(probe_->Next(updated)));
  EXPECT_TRUE(message["added_devices"].is_null());
  EXPECT_EQ(message["removed_devices"], Parse(R"([{"id":"plant/fan","name":"fan"}])"));
  // Another node's is not ours to answer.
  ASSERT_THAT(probe_->Publish("$hw/events/node/edge-2/membership/get", "{}"), IsOk());
  ASSERT_THAT(probe_->Publish("$hw/events/node/edge-1/membership/get", "no json"), IsOk());
  EXPECT_EQ(Json::parse(probe_->Next(result))["code"], 400);
  EXPECT_EQ(Metric("skerry_eventbus_messages_refused_total{reason=\"topic\"}"), 1);
}

// eb-1.5: what others change is told, too.
TEST_F(BusTopicsTest, ChangesOfOthers) {
  twins_->SetDesired("plant/pump-1", "speed", "5");
  Json document = Next(kDocument);
  EXPECT_TRUE(document["twin"]["speed"]["last"].is_null());
  EXPECT_EQ(document["twin"]["speed"]["current"]["expected"]["value"], "5");
  EXPECT_EQ(Next(kDelta)["delta"], Parse(R"({"speed":"5"})"));
  twins_->SetReported("plant/pump-1", "speed", "4");
  document = Next(kDocument);
  EXPECT_EQ(document["twin"]["speed"]["current"]["actual"]["value"], "4");
  EXPECT_EQ(Next(kDelta)["delta"], Parse(R"({"speed":"5"})"));
}

// eb-1.6: every invalid payload is answered where KubeEdge has an answer, and changes nothing.
TEST_F(BusTopicsTest, InvalidUpdates) {
  const struct {
    const char* payload;
    const char* event_id;
    const char* reason;
  } kRows[] = {
      {"temp=18", "", "Unmarshal update request body failed, please check the request"},
      {"", "", "Unmarshal update request body failed, please check the request"},
      {R"({"event_id":"e4","twin":{"temp":)", "e4",
       "Unmarshal update request body failed, please check the request"},
      {R"({"event_id":"e5"})", "e5", "Update twin error, key:twin does not exist"},
      {R"({"event_id":"e6","twin":{"x y":{"actual":{"value":"1"}}}})", "e6", "x y"},
      {R"({"event_id":"e7","twin":{"x":{"actual":{"value":"a b"}}}})", "e7", "actual"},
      {R"({"event_id":"e8","twin":{"x":{"actual":{"value":"1"},"metadata":{"type":"double"}}}})",
       "e8", "the value type is not allowed"},
  };
  for (const auto& row : kRows) {
    Publish("twin/update", row.payload);
    const Json result = Next(kResult);
    EXPECT_EQ(result["code"], 400) << row.payload;
    EXPECT_EQ(result["event_id"], row.event_id) << row.payload;
    EXPECT_THAT(result["reason"].get<std::string>(), HasSubstr(row.reason)) << row.payload;
  }
  Publish("twin/get", "[1");
  EXPECT_EQ(Next("twin/get/result")["code"], 400);
  Publish("state/update", R"({"state":"sleepy"})");
  EXPECT_TRUE(Await([&] {
    return Metric("skerry_eventbus_messages_refused_total{reason=\"invalid\"}") ==
           static_cast<double>(std::size(kRows)) + 2;
  }));
  EXPECT_EQ(twins_->writes(), 0);
  EXPECT_EQ(twins_->Get("plant/pump-1").version(), 0u);
}

TEST_F(BusTopicsTest, UnknownDevices) {
  Publish("twin/update", R"({"event_id":"e12","twin":{"x":{"actual":{"value":"1"}}}})",
          "plant/none");
  EXPECT_EQ(Next(kResult, "plant/none"), Parse(R"({"event_id":"e12","code":404,
                      "reason":"update rejected due to the device is not existed"})"));
  Publish("twin/get", R"({"event_id":"g2"})", "plant/none");
  EXPECT_EQ(Next("twin/get/result", "plant/none"), Parse(R"({"event_id":"g2","code":404,
                      "reason":"Device plant/none not found while getting twin"})"));
}

TEST_F(BusTopicsTest, WhatTwinSvcRefuses) {
  twins_->Refuse(Error(absl::StatusCode::kInvalidArgument, "property x: 1 is not a bool")
                     .Reason("VALUE_TYPE"));
  Publish("twin/update", R"({"event_id":"e1","twin":{"x":{"actual":{"value":"1"}}}})");
  EXPECT_EQ(Next(kResult),
            Parse(R"({"event_id":"e1","code":400,"reason":"property x: 1 is not a bool"})"));
}

TEST_F(BusTopicsTest, LargePayloads) {
  const std::string filler(300 << 10, 'x');
  Publish("twin/update", absl::StrCat(R"({"event_id":"big","twin":{},"filler":")", filler, "\"}"));
  const Json result = Next(kResult);
  EXPECT_EQ(result["event_id"], "big");
  EXPECT_EQ(result["code"], 400);
  EXPECT_THAT(result["reason"].get<std::string>(), HasSubstr("262144"));
  ASSERT_THAT(probe_->Publish("plant/user/a", filler), IsOk());
  EXPECT_TRUE(Await(
      [&] { return Metric("skerry_eventbus_messages_refused_total{reason=\"size\"}") == 2; }));
}

}  // namespace
}  // namespace skerry::eventbus
