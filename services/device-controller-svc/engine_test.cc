// Who gets what, and what becomes of the registry: the engine between an API in memory and a hub in
// this process.
#include "services/device-controller-svc/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/device-controller-svc/core/desired_plan.h"
#include "services/device-controller-svc/core/interest.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/device-controller-svc/testing/engine_fixture.h"
#include "services/lib/cloudspoke/subscription.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class EngineTest : public EngineFixture {
 protected:
  // What a node was told of devices and models, without the rest of the words.
  void Subscribe(const std::string& node, uint64_t epoch = 1) {
    hub_->Connect(node, epoch);
    hub_->Subscribe(node, epoch, kDevices, 1);
    hub_->Subscribe(node, epoch, kDeviceModels, 2);
    ASSERT_TRUE(hub_->AwaitSaid(node + " " + kDevices + " synced"));
    ASSERT_TRUE(hub_->AwaitSaid(node + " " + kDeviceModels + " synced"));
  }
  static std::string Line(const std::string& node, const char* type, const std::string& what) {
    return node + " " + type + " " + what;
  }
  std::optional<DeviceRecord> Record(const std::string& name) {
    return *stores_->registry().Get(*DeviceName::Make("ns", name));
  }
};

TEST_F(EngineTest, RegistersWhatItOwns) {
  StartAttached();
  EXPECT_EQ(hub_->registration().spoke(), "device-controller-svc/test");
  EXPECT_THAT(hub_->registration().resource_types(), ElementsAre(kDevices, kDeviceModels));
  EXPECT_THAT(hub_->registration().report_types(), ElementsAre("twins"));
  EXPECT_THAT(hub_->registration().event_streams(), ElementsAre("readings"));
}

// [dc-1.1]
TEST_F(EngineTest, ANodeGetsItsDevicesAndTheirModelsAndNoOthers) {
  api_.Put(DeviceModelResource(), Model("m"));
  api_.Put(DeviceModelResource(), Model("other"));
  api_.Put(DeviceModelResource(), Model("unused"));
  api_.Put(Devices(), Device("mine", "edge-1", "m"));
  api_.Put(Devices(), Device("theirs", "edge-2", "other"));
  api_.Put(Devices(), Device("unbound", "", "unused"));
  StartAttached();
  Subscribe("edge-1");
  EXPECT_THAT(hub_->Said(),
              ::testing::UnorderedElementsAre(Line("edge-1", kDevices, "+ ns/mine"),
                                              Line("edge-1", kDevices, "synced"),
                                              Line("edge-1", kDeviceModels, "+ ns/m"),
                                              Line("edge-1", kDeviceModels, "synced")));
}

// [dc-1.2] The device goes before the model that it needs.
TEST_F(EngineTest, ADeviceThatIsBoundToAnotherNodeIsTakenFromTheFormer) {
  api_.Put(DeviceModelResource(), Model("m"));
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  Subscribe("edge-1");
  Subscribe("edge-2");
  api_.Put(Devices(), Device("d", "edge-2"));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-2", kDeviceModels, "+ ns/m")));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-2", kDevices, "+ ns/d")));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "- ns/d")));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDeviceModels, "- ns/m")));
  const std::vector<std::string> said = hub_->Said();
  EXPECT_LT(std::find(said.begin(), said.end(), Line("edge-1", kDevices, "- ns/d")),
            std::find(said.begin(), said.end(), Line("edge-1", kDeviceModels, "- ns/m")));
}

TEST_F(EngineTest, FollowsChangesOfDevicesAndModels) {
  StartAttached();
  Subscribe("edge-1");
  api_.Put(Devices(), Device("d", "edge-1"));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "+ ns/d"))) << "while its model is missing";
  api_.Put(DeviceModelResource(), Model("m"));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDeviceModels, "+ ns/m")));
  api_.Put(Devices(), Device("d", "edge-1", "m", {{"temp", "21"}}));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "+ ns/d"), 2));
  EXPECT_THAT(hub_->Pushed("edge-1", kDevices, "ns/d"), HasSubstr(R"("value":"21")"));
  api_.Remove(Devices(), "ns", "d");
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "- ns/d")));
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDeviceModels, "- ns/m")));
}

TEST_F(EngineTest, AReconnectedNodeGetsDifferencesOnly) {
  api_.Put(Devices(), Device("same", "edge-1"));
  api_.Put(Devices(), Device("newer", "edge-1"));
  StartAttached();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, kDevices, 1,
                  {{"ns/same", cloudspoke::VersionOf(*api_.Peek(Devices(), "ns/same"))},
                   {"ns/newer", "uid-2/1"},
                   {"ns/gone", "uid-9/1"}});
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "synced")));
  EXPECT_THAT(hub_->Said(), ElementsAre(Line("edge-1", kDevices, "- ns/gone"),
                                        Line("edge-1", kDevices, "+ ns/newer"),
                                        Line("edge-1", kDevices, "synced")));
}

// [dc-1.4]
TEST_F(EngineTest, AttachesOnlyWhenItIsKnownWhoIsDisabled) {
  stores_->SetBroken(true);
  Start();
  EXPECT_FALSE(hub_->AwaitAttached(absl::Milliseconds(300)));
  stores_->SetBroken(false);
  EXPECT_TRUE(hub_->AwaitAttached());
}

// [dc-1.3]
TEST_F(EngineTest, ADeviceThatIsDisabledIsTakenFromItsNodeAndSaysWhy) {
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  Subscribe("edge-1");
  const DeviceName name = *DeviceName::Make("ns", "d");
  ASSERT_TRUE(Await([&] { return Record("d").has_value(); }));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, false, "smokes", std::nullopt).ok());
  engine_->RecordChanged(name);
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "- ns/d")));
  EXPECT_TRUE(AwaitEvent("d", "DeviceDisabled"));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, true, "", std::nullopt).ok());
  engine_->RecordChanged(name);
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "+ ns/d"), 2));
}

// [dc-1.3] Another process has written it, or it was so before this one led.
TEST_F(EngineTest, WhatIsSwitchedElsewhereIsFound) {
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  Subscribe("edge-1");
  const DeviceName name = *DeviceName::Make("ns", "d");
  ASSERT_TRUE(Await([&] { return Record("d").has_value(); }));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, false, "smokes", std::nullopt).ok());
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "- ns/d")));
  Restart();
  hub_->Connect("edge-1", 2);
  hub_->Subscribe("edge-1", 2, kDevices, 1);
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "synced"), 2));
  EXPECT_THAT(hub_->Said(), Not(Contains(Line("edge-1", kDevices, "+ ns/d")).Times(2)));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, true, "", std::nullopt).ok());
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "+ ns/d"), 2));
}

// [dc-2.1]
TEST_F(EngineTest, TheRegistryFollowsTheDevices) {
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  ASSERT_TRUE(Await([&] { return Record("d").has_value(); }));
  EXPECT_EQ(Record("d")->object, (RegisteredDevice{.device = *DeviceName::Make("ns", "d"),
                                                   .uid = UidOf("d"),
                                                   .node = "edge-1",
                                                   .model = "m",
                                                   .protocol = "virtual"}));
  api_.Put(Devices(), Device("d", "edge-2"));
  EXPECT_TRUE(Await([&] { return Record("d")->object.node == "edge-2"; }));
}

// [dc-2.2]
TEST_F(EngineTest, WithADeviceItsRecordTwinAndStatusGo) {
  api_.Put(Devices(), Device("d", "edge-1", "m", {{"temp", "21"}}));
  StartAttached();
  hub_->Connect("edge-1", 1);
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "temp=21 "; }));
  ASSERT_FALSE(StatusOf("d").is_null());
  api_.Remove(Devices(), "ns", "d");
  ASSERT_TRUE(Await([&] { return !Record("d").has_value(); }));
  EXPECT_EQ(Twin("d", TwinSide::kReported) + Twin("d", TwinSide::kDesired), "");
  EXPECT_TRUE(StatusOf("d").is_null());
}

// [dc-2.2]
TEST_F(EngineTest, WhatIsDisabledStaysSoWhenItsManifestIsAppliedAgain) {
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  Subscribe("edge-1");
  const DeviceName name = *DeviceName::Make("ns", "d");
  ASSERT_TRUE(Await([&] { return Record("d").has_value(); }));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, false, "smokes", std::nullopt).ok());
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "- ns/d")));
  hub_->Connect("edge-1", 2);
  Report("edge-1", 2, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  const int64_t reads = api_.calls("GET");
  api_.Remove(Devices(), "ns", "d");
  ASSERT_TRUE(Await([&] { return api_.calls("GET") >= reads + 2; })) << "it, and its status";
  api_.Put(Devices(), Device("d", "edge-1"));
  ASSERT_TRUE(Await([&] { return Record("d")->object.uid == UidOf("d"); }));
  EXPECT_FALSE(Record("d")->enabled);
  hub_->Subscribe("edge-1", 2, kDevices, 3);
  ASSERT_TRUE(hub_->AwaitSaid(Line("edge-1", kDevices, "synced"), 2));
  EXPECT_THAT(hub_->Said(), Not(Contains(Line("edge-1", kDevices, "+ ns/d")).Times(2)));
  api_.Remove(Devices(), "ns", "d");
  ASSERT_TRUE(stores_->registry().SetEnabled(name, true, "", std::nullopt).ok());
  EXPECT_TRUE(Await([&] { return !Record("d").has_value(); }));
}

// [dc-2.2] While this service was down.
TEST_F(EngineTest, ADeviceThatWasDeletedUnseenIsForgotten) {
  ASSERT_TRUE(
      stores_->registry().Put({.device = *DeviceName::Make("ns", "gone"), .uid = "u"}).ok());
  StartAttached();
  EXPECT_TRUE(Await([&] { return !Record("gone").has_value(); }));
}

// [dc-2.2] What the cache does not show may be there all the same.
TEST_F(EngineTest, ADeviceIsForgottenOnlyWhenTheApiServerSaysThatItIsGone) {
  ASSERT_TRUE(
      stores_->registry().Put({.device = *DeviceName::Make("ns", "gone"), .uid = "u"}).ok());
  std::atomic<bool> down = true;
  std::atomic<int> asked = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource&,
                   absl::string_view name) -> absl::Status {
    if (verb != "GET" || name != "gone") return absl::OkStatus();
    ++asked;
    return down ? absl::UnavailableError("down") : absl::OkStatus();
  });
  StartAttached();
  ASSERT_TRUE(Await([&] { return asked > 2; }));
  EXPECT_TRUE(Record("gone").has_value());
  down = false;
  EXPECT_TRUE(Await([&] { return !Record("gone").has_value(); }));
}

// [dc-2.3]
TEST_F(EngineTest, DesiredValuesBecomeTheTwinsOnceEach) {
  api_.Put(Devices(), Device("d", "edge-1", "m", {{"temp", "21"}, {"mode", "eco"}}));
  StartAttached();
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "mode=eco temp=21 "; }));
  api_.Put(Devices(), Device("d", "edge-1", "m", {{"temp", "22"}, {"mode", ""}}));
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "temp=22 "; }));
  api_.Put(Devices(), Device("d", "edge-2", "m", {{"temp", "22"}}));
  ASSERT_TRUE(Await([&] { return Record("d")->object.node == "edge-2"; }));
  Restart();
  api_.Put(Devices(), Device("d", "edge-2", "m", {{"temp", "23"}}));
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "temp=23 "; }));
  const auto history = stores_->twins().History(*DeviceName::Make("ns", "d"),
                                                {.property = "temp", .side = TwinSide::kDesired});
  ASSERT_EQ(history->size(), 3u) << "a move and a restart are no change";
  EXPECT_EQ(history->front().writer, "cloud");
}

// [dc-2.3]
TEST_F(EngineTest, WhoWroteADesiredValueIsKnown) {
  json device = json::parse(Device("d", "edge-1", "m", {{"temp", "21"}}));
  device["metadata"]["annotations"][kWritersAnnotation] = WriteWriters({{"temp", {"alice", "21"}}});
  api_.Put(Devices(), device.dump());
  StartAttached();
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "temp=21 "; }));
  EXPECT_EQ(stores_->twins().Current(*DeviceName::Make("ns", "d"))->front().writer, "alice");
}

// [dc-2.4]
TEST_F(EngineTest, WhatIsWrongWithAManifestShowsOnIt) {
  api_.Put(DeviceModelResource(), Model("m"));
  api_.Put(DeviceModelResource(), Model("bad", "sometimes"));
  api_.Put(Devices(), Device("word", "edge-1", "m", {{"temp", "warm"}}));
  json broken = json::parse(Device("broken", "edge-1"));
  broken["spec"]["properties"] = "none";
  api_.Put(Devices(), broken.dump());
  StartAttached();
  EXPECT_TRUE(AwaitEvent("word", "DesiredInvalid"));
  EXPECT_TRUE(AwaitEvent("broken", "DeviceInvalid"));
  EXPECT_TRUE(AwaitEvent("bad", "DeviceModelInvalid"));
  Subscribe("edge-1");
  EXPECT_THAT(hub_->Said(), Contains(Line("edge-1", kDevices, "+ ns/broken")))
      << "the box says what it makes of it";
}

TEST_F(EngineTest, AnObjectThatANodeRefusesShowsIt) {
  api_.Put(Devices(), Device("d", "edge-1"));
  StartAttached();
  Subscribe("edge-1");
  cloudhub::v1::HubFrame frame;
  auto* done = frame.mutable_push_done();
  done->mutable_session()->set_node("edge-1");
  done->mutable_session()->set_epoch(1);
  done->set_type(kDevices);
  done->set_subscription_id(1);
  auto* item = done->add_items();
  item->set_key("ns/d");
  item->mutable_status()->set_code(3);
  item->mutable_status()->set_message("no room");
  hub_->Send(frame);
  EXPECT_TRUE(AwaitEvent("d", "RejectedByEdge"));
}

}  // namespace
}  // namespace skerry::devicecontroller
