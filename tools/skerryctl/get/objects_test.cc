#include "tools/skerryctl/get/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/get/kinds.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using nlohmann::json;
using testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

TEST(TypeOfTest, AsKubectlSpellsThem) {
  for (const char* word : {"pods", "pod", "po", "Pods"})
    EXPECT_EQ(*TypeOf(word, UsualTypes()), "pods");
  EXPECT_EQ(*TypeOf("cm", UsualTypes()), "configmaps");
  EXPECT_EQ(*TypeOf("device", UsualTypes()), "devices.devices.kubeedge.io");
  EXPECT_EQ(*TypeOf("rules.rules.kubeedge.io", UsualTypes()), "rules.rules.kubeedge.io");
  EXPECT_EQ(*TypeOf("twin", CloudTypes()), "twins");
  EXPECT_EQ(*TypeOf("widgets", {"widgets.example.com"}), "widgets.example.com");
  const auto unknown = TypeOf("podz", UsualTypes());
  EXPECT_THAT(unknown, HasReason("KIND_UNKNOWN"));
  EXPECT_EQ(FromStatus(unknown.status()).fix, "did you mean 'pods'?");
}

meta::v1::Object Stored(const std::string& type, const std::string& text) {
  meta::v1::Object object;
  object.set_type(type);
  object.set_object(text);
  return object;
}

TEST(ObjectsTest, ValuesOfSecretsNeverShow) {
  const json secret = ObjectOf(Stored("secrets", R"({"metadata":{"name":"s","namespace":"ns",
    "annotations":{"a":"b","kubectl.kubernetes.io/last-applied-configuration":"c2VjcmV0"}},
    "type":"Opaque","data":{"password":"c2VjcmV0","user":"c2VjcmV0"},"stringData":{"x":"c2VjcmV0"}})"));
  EXPECT_EQ(secret["kind"], "Secret");
  EXPECT_EQ(secret["apiVersion"], "v1");
  for (const Format format :
       {Format::kTable, Format::kWide, Format::kName, Format::kJson, Format::kYaml}) {
    const std::string out = RenderObjects({.type = "secrets", .objects = {secret}}, format, kNow);
    EXPECT_THAT(out, Not(HasSubstr("c2VjcmV0")));
  }
  EXPECT_THAT(RenderObjects({.type = "secrets", .objects = {secret}}, Format::kTable, kNow),
              HasSubstr("NAME   TYPE     DATA"));
  EXPECT_EQ(secret["data"], json({{"password", nullptr}, {"user", nullptr}}));
  // What is no object has no values to show, either.
  json odd = {{"data", "c2VjcmV0"}};
  HideSecret(odd);
  EXPECT_EQ(odd["data"], json::object());
}

TEST(ObjectsTest, WhatIsNoObjectIsLeftOut) {
  for (const char* text : {"", "{", "[]", "\"x\"", "\xff"})
    EXPECT_TRUE(ObjectOf(Stored("pods", text)).is_null()) << text;
  // Members of another type than they should have, too.
  for (const char* text : {R"({"metadata":[]})", R"({"metadata":{"name":7,"annotations":3}})",
                           R"({"spec":"x","status":[1]})"}) {
    for (const char* type : {"pods", "secrets", "devices.devices.kubeedge.io", "nodes"}) {
      EXPECT_NE(RenderObjects({.type = type, .objects = {ObjectOf(Stored(type, text))}},
                              Format::kWide, kNow),
                "");
    }
  }
}

TEST(ObjectsTest, PodsAreAsTheBoxHasThem) {
  json pod = ObjectOf(Stored("pods", R"({"metadata":{"name":"web","namespace":"ns"},
    "spec":{"containers":[{"name":"c"}],"nodeName":"edge-1"},"status":{"phase":"Pending"}})"));
  edged::v1::RunningPod running;
  running.set_status_json(R"({"phase":"Running","podIP":"10.1.2.3","containerStatuses":[
    {"name":"c","ready":true,"restartCount":2,"state":{"running":{}}}]})");
  SetPodStatus(running, pod);
  const Listing listing{.type = "pods", .objects = {pod}, .all_namespaces = true};
  EXPECT_THAT(RenderObjects(listing, Format::kTable, kNow),
              HasSubstr("ns          web    1/1     Running   2"));
  EXPECT_THAT(RenderObjects(listing, Format::kWide, kNow), HasSubstr("10.1.2.3   edge-1"));
  EXPECT_EQ(RenderObjects(listing, Format::kName, kNow), "pod/web\n");
  EXPECT_EQ(json::parse(RenderObjects(listing, Format::kJson, kNow))["items"][0]["status"]["phase"],
            "Running");
  Listing one = listing;
  one.one = true;
  EXPECT_EQ(json::parse(RenderObjects(one, Format::kJson, kNow))["metadata"]["name"], "web");
}

TEST(ObjectsTest, TheNodeIsWhatTheBoxIs) {
  json node = ObjectOf(Stored("nodes", R"({"metadata":{"name":"edge-1"}})"));
  edged::v1::EdgedStatus edged;
  edged.set_runtime("containerd 1.6.20");
  edged.set_meta_synced(true);
  SetNodeStatus(edged, node);
  const auto table = [&node] {
    return RenderObjects({.type = "nodes", .objects = {node}, .all_namespaces = true},
                         Format::kWide, kNow);
  };
  EXPECT_THAT(table(), HasSubstr("NAME     STATUS"));  // Nodes are in no namespace.
  EXPECT_THAT(table(), HasSubstr("edge-1   NotReady"));
  EXPECT_THAT(table(), HasSubstr("containerd 1.6.20"));
  edged.set_runtime_ready(true);
  SetNodeStatus(edged, node);
  EXPECT_THAT(table(), HasSubstr("edge-1   Ready"));
}

twin::v1::Twin Lamp() {
  twin::v1::Twin twin;
  twin.set_name("namespaces/ns/devices/lamp/twin");
  twin.mutable_state()->set_state("online");
  twin.mutable_state()->mutable_last_seen_time()->set_seconds(absl::ToUnixSeconds(kNow) - 90);
  twin::v1::Property& on = (*twin.mutable_properties())["on"];
  on.mutable_desired()->set_value("true");
  on.mutable_desired()->set_writer("cloud");
  on.mutable_reported()->set_value("fa\x1b[2Jlse");
  on.mutable_reported()->mutable_write_time()->set_seconds(absl::ToUnixSeconds(kNow) - 5);
  return twin;
}

TEST(ObjectsTest, DevicesHaveTheirTwins) {
  json device = ObjectOf(Stored("devices.devices.kubeedge.io", R"({
    "apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device",
    "metadata":{"name":"lamp","namespace":"ns"},"spec":{"deviceModelRef":{"name":"light"},
    "protocol":{"protocolName":"virtual"},"nodeName":"edge-1"}})"));
  SetDeviceStatus(Lamp(), device);
  const Listing listing{.type = "devices.devices.kubeedge.io", .objects = {device}};
  EXPECT_THAT(RenderObjects(listing, Format::kTable, kNow),
              HasSubstr("lamp   light   virtual    online   90s"));
  EXPECT_EQ(RenderObjects(listing, Format::kName, kNow), "device.devices.kubeedge.io/lamp\n");
  EXPECT_EQ(device["status"]["twins"][0]["propertyName"], "on");
  EXPECT_EQ(device["status"]["twins"][0]["observedDesired"]["value"], "true");
}

TEST(ObjectsTest, Twins) {
  const std::string table = RenderTwins({Lamp()}, false, Format::kWide, kNow);
  EXPECT_THAT(table, HasSubstr("ns/lamp   online   on         true      fa?[2Jlse   5s"));
  EXPECT_THAT(table, HasSubstr("cloud"));
  EXPECT_EQ(RenderTwins({Lamp()}, false, Format::kName, kNow), "twin/ns/lamp\n");
  EXPECT_EQ(json::parse(RenderTwins({Lamp()}, true, Format::kJson, kNow))["name"],
            "namespaces/ns/devices/lamp/twin");
}

}  // namespace
}  // namespace skerry::skerryctl
