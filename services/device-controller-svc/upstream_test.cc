// What becomes of reports of twins and of readings: the engine between an API in memory and a hub
// in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "services/device-controller-svc/device_resources.h"
#include "services/device-controller-svc/engine.h"
#include "services/device-controller-svc/testing/engine_fixture.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;
using ::testing::Not;

class UpstreamTest : public EngineFixture {
 protected:
  void SetUp() override {
    api_.Put(DeviceModelResource(), Model("m"));
    api_.Put(Devices(), Device("d", "edge-1", "m", {{"temp", ""}}));
    StartAttached();
    hub_->Connect("edge-1", 1);
  }
  bool Reported(const std::string& result, int count) const {
    return HasMetric("skerry_devicecontroller_reports_total{result=\"" + result + "\"} " +
                     std::to_string(count));
  }
};

// [dc-4.1]
TEST_F(UpstreamTest, AReportBecomesTheTwinAndTheDeviceStatus) {
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "temp=20 ");
  EXPECT_EQ(StatusOf("d"), json::parse(R"({
    "twins": [{"propertyName": "temp", "reported": {"value": "20", "metadata":
      {"timestamp": "1767225600000", "type": "int"}}}],
    "state": "online", "lastOnlineTime": "2026-01-01T00:00:00Z"})"));
  const json object = api_.Peek(DeviceStatuses(), "ns/d")->Json();
  EXPECT_EQ(object["metadata"]["ownerReferences"][0]["uid"], UidOf("d"));
}

// [dc-4.3]
TEST_F(UpstreamTest, AReportThatSaysNothingNewCostsNoCall) {
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  const int64_t reads = api_.calls("GET");
  const int64_t writes = api_.calls("PATCH");
  Report("edge-1", 1, 2, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_EQ(api_.calls("GET"), reads);
  EXPECT_EQ(api_.calls("PATCH"), writes);
  EXPECT_TRUE(Reported("unchanged", 1));
  Report("edge-1", 1, 3, "d", {{"temp", "21"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 3 OK"));
  EXPECT_EQ(api_.calls("GET"), reads) << "its version is known";
  EXPECT_EQ(api_.calls("PATCH"), writes + 1);
  EXPECT_EQ(StatusOf("d")["twins"][0]["reported"]["value"], "21");
  EXPECT_EQ(stores_->twins().History(*DeviceName::Make("ns", "d"), {.property = "temp"})->size(),
            2u);
}

// [dc-4.1] A report is the whole twin: what a client made on the box and it does not have is gone.
TEST_F(UpstreamTest, APropertyThatTheBoxHasNoMoreIsGone) {
  Report("edge-1", 1, 1, "d", {{"rate", "3"}, {"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "rate=3 temp=20 ");
  Report("edge-1", 1, 2, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "temp=20 ");
  const auto history = stores_->twins().History(*DeviceName::Make("ns", "d"), {.property = "rate"});
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ(history->front().value, "3");
  EXPECT_EQ(history->back().value, std::nullopt);
  Report("edge-1", 1, 3, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 3 OK"));
  EXPECT_TRUE(Reported("unchanged", 1)) << "it goes once";
  // What the Device declares stays as it was known.
  Report("edge-1", 1, 4, "d", {});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 4 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "temp=20 ");
  // A late report of before (D1): neither is it there again, nor does another one go.
  Report("edge-1", 1, 5, "d", {{"level", "7"}, {"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 5 OK"));
  Report("edge-1", 1, 1, "d", {{"rate", "3"}, {"temp", "20"}});
  ASSERT_TRUE(Await([&] { return Reported("fenced", 1); }));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "level=7 temp=20 ");
}

// [dc-4.3]
TEST_F(UpstreamTest, WhatOthersPutIntoTheDeviceStatusStays) {
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  json object = api_.Peek(DeviceStatuses(), "ns/d")->Json();
  object["metadata"]["labels"]["room"] = "3";
  object["status"]["extensions"]["other"] = "1";
  api_.Put(DeviceStatuses(), object.dump());
  Report("edge-1", 1, 2, "d", {{"temp", "21"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  object = api_.Peek(DeviceStatuses(), "ns/d")->Json();
  EXPECT_EQ(object["metadata"]["labels"]["room"], "3");
  EXPECT_EQ(object["status"]["extensions"]["other"], "1");
  EXPECT_EQ(object["status"]["twins"][0]["reported"]["value"], "21");
}

TEST_F(UpstreamTest, ADeviceStatusOfAFormerDeviceIsReplaced) {
  api_.Put(DeviceStatuses(), R"({"apiVersion":"devices.kubeedge.io/v1beta1","kind":"DeviceStatus",
    "metadata":{"namespace":"ns","name":"d","ownerReferences":[{"uid":"former"}]},
    "status":{"extensions":{"of":"former"}}})");
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_FALSE(StatusOf("d").contains("extensions"));
  EXPECT_EQ(api_.Peek(DeviceStatuses(), "ns/d")->Json()["metadata"]["ownerReferences"][0]["uid"],
            UidOf("d"));
}

// [dc-4.2]
TEST_F(UpstreamTest, ANodeIsNotHeardOfDevicesThatAreNotBoundToIt) {
  hub_->Connect("edge-2", 1);
  Report("edge-2", 1, 1, "d", {{"temp", "99"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-2 done 1 OK"));
  EXPECT_TRUE(Reported("elsewhere", 1));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "");
  EXPECT_TRUE(StatusOf("d").is_null());
}

// [dc-4.2] Its sessions are its own: the lower epoch says nothing.
TEST_F(UpstreamTest, ADeviceThatWasMovedIsHeardFromItsNewNode) {
  constexpr uint64_t kEpoch = 1'767'225'600'000'000;
  hub_->Connect("edge-1", kEpoch + 60'000'000);
  hub_->Connect("edge-2", kEpoch);
  Report("edge-1", kEpoch + 60'000'000, 9, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 9 OK"));
  api_.Put(Devices(), Device("d", "edge-2", "m", {{"temp", ""}}));
  ASSERT_TRUE(Await([&] {
    return (*stores_->registry().Get(*DeviceName::Make("ns", "d")))->object.node == "edge-2";
  }));
  Report("edge-2", kEpoch, 1, "d", {{"temp", "30"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-2 done 1 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "temp=30 ");
  Report("edge-1", kEpoch + 60'000'000, 10, "d", {{"temp", "21"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 10 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "temp=30 ");
  EXPECT_EQ(StatusOf("d")["twins"][0]["reported"]["value"], "30");
}

TEST_F(UpstreamTest, AReportOfADeviceThatIsDisabledIsNotApplied) {
  const DeviceName name = *DeviceName::Make("ns", "d");
  ASSERT_TRUE(Await([&] { return stores_->registry().Get(name)->has_value(); }));
  ASSERT_TRUE(stores_->registry().SetEnabled(name, false, "smokes", std::nullopt).ok());
  engine_->RecordChanged(name);
  ASSERT_TRUE(AwaitEvent("d", "DeviceDisabled"));
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "");
}

// [dc-4.2]
TEST_F(UpstreamTest, AReportOfAFormerObjectIsDone) {
  hub_->Report("edge-1", 1, 1, "twins", "ns/d", TwinReport("d", "former", {{"temp", "20"}}));
  hub_->Report("edge-1", 1, 2, "twins", "ns/x", TwinReport("x", "u", {{"temp", "20"}}));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_EQ(Twin("d", TwinSide::kReported), "");
  EXPECT_TRUE(StatusOf("x").is_null());
}

// [dc-4.5]
TEST_F(UpstreamTest, WhatCanNeverBeAppliedIsAnsweredWithTheError) {
  hub_->Report("edge-1", 1, 1, "twins", "ns/d", "\xff\xff garbage");
  hub_->Report("edge-1", 1, 2, "gadgets", "ns/d", "");
  hub_->Report("edge-1", 1, 3, "twins", "ns/other", TwinReport("d", UidOf("d"), {}));
  hub_->Report("edge-1", 1, 4, "twins", "no device", TwinReport("d", UidOf("d"), {}));
  hub_->Report("edge-1", 1, 5, "twins", "ns/d5", TwinReport("d5", "", {}));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 INVALID_ARGUMENT"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 UNIMPLEMENTED"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 3 INVALID_ARGUMENT"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 4 INVALID_ARGUMENT"));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 5 INVALID_ARGUMENT"));
  Report("edge-1", 1, 6, "d", {{"temp", std::string((32 << 10) + 1, '1')}});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 6 INVALID_ARGUMENT"));
}

// [dc-4.4]
TEST_F(UpstreamTest, ReportsWaitForTheDatabaseAndForTheApiServer) {
  stores_->SetBroken(true);
  Report("edge-1", 1, 1, "d", {{"temp", "20"}});
  std::atomic<bool> down = true;
  std::atomic<int> refused = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view) -> absl::Status {
    if (!down || verb != "CREATE" || resource.plural != "devicestatuses") return absl::OkStatus();
    ++refused;
    return absl::UnavailableError("down");
  });
  EXPECT_FALSE(hub_->AwaitSaid("edge-1 done 1 OK", 1, absl::Milliseconds(200)));
  stores_->SetBroken(false);
  ASSERT_TRUE(Await([&] { return refused > 2; }));
  EXPECT_FALSE(hub_->AwaitSaid("edge-1 done 1 OK", 1, absl::Milliseconds(1)));
  down = false;
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_EQ(stores_->twins().History(*DeviceName::Make("ns", "d"), {.property = "temp"})->size(),
            1u);
}

// [dc-5.1]
TEST_F(UpstreamTest, ReadingsAreStoredOnceEach) {
  SendReadings("edge-1", 1, 1, "d", {"1", "2"});
  SendReadings("edge-1", 1, 2, "d", {"3"});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 2"));
  EXPECT_EQ(Telemetry("d"), "1 2 3 ");
  hub_->Connect("edge-1", 2);
  SendReadings("edge-1", 2, 2, "d", {"3"});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 2", 2));
  SendReadings("edge-1", 2, 3, "d", {"4"});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 3"));
  EXPECT_EQ(Telemetry("d"), "1 2 3 4 ");
  hub_->Connect("edge-1", 3, "another-store");
  SendReadings("edge-1", 3, 1, "d", {"5"});
  SendReadings("edge-1", 3, 9, "d", {"6"});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 9"));
  EXPECT_EQ(Telemetry("d"), "1 2 3 4 5 6 ");
}

// [dc-5.1] More than the store takes at once.
TEST_F(UpstreamTest, ManyReadingsAreSeveralTransactions) {
  stores_->SetBroken(true);  // So that all of them wait.
  for (uint64_t i = 1; i <= 3; ++i)
    SendReadings("edge-1", 1, i, "d", std::vector<std::string>(600, std::to_string(i)));
  EXPECT_FALSE(hub_->AwaitSaid("edge-1 events done 1", 1, absl::Milliseconds(100)));
  stores_->SetBroken(false);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 3"));
  EXPECT_TRUE(HasMetric("skerry_devicecontroller_readings_total 1800"));
}

// [dc-5.2]
TEST_F(UpstreamTest, MalformedReadingsAreRefusedAndHoldUpNoLaterOnes) {
  SendEvent("edge-1", 1, 1, "ns/d", "\xff garbage");
  SendEvent("edge-1", 1, 2, "nothing", Readings(UidOf("d"), {"1"}));
  SendEvent("edge-1", 1, 3, "ns/d", Readings(UidOf("d"), {std::string((32 << 10) + 1, '1')}));
  SendReadings("edge-1", 1, 4, "d", {"4"});
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 4"));
  for (const char* event : {"1", "2", "3"}) {
    EXPECT_TRUE(hub_->AwaitSaid(std::string("edge-1 event ") + event + " INVALID_ARGUMENT"));
  }
  EXPECT_EQ(Telemetry("d"), "4 ");
}

// [dc-5.3] ADR 32.
TEST_F(UpstreamTest, ReadingsOfADeviceThatWasMovedAreKept) {
  api_.Put(Devices(), Device("d", "edge-2", "m", {{"temp", ""}}));
  SendReadings("edge-1", 1, 1, "d", {"1"});
  SendEvent("edge-1", 1, 2, "ns/d", Readings("former", {"2"}));
  SendEvent("edge-1", 1, 3, "ns/gone", Readings("u", {"3"}));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 3"));
  EXPECT_EQ(Telemetry("d"), "1 ");
  EXPECT_EQ(Telemetry("gone"), "");
  EXPECT_TRUE(HasMetric("skerry_devicecontroller_stream_events_total{result=\"gone\"} 2"));
}

// [dc-5.4]
TEST_F(UpstreamTest, ReadingsWaitForTheDatabase) {
  stores_->SetBroken(true);
  SendReadings("edge-1", 1, 1, "d", {"1"});
  EXPECT_FALSE(hub_->AwaitSaid("edge-1 events done 1", 1, absl::Milliseconds(200)));
  stores_->SetBroken(false);
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 events done 1"));
  EXPECT_EQ(Telemetry("d"), "1 ");
}

// [dc-6.1]
TEST_F(UpstreamTest, WhatIsOldEnoughIsForgotten) {
  const auto row = [&](const std::string& model, const std::string& property) {
    return TelemetryRow{.sequence = 1,
                        .device = *DeviceName::Make("ns", "d"),
                        .model = model,
                        .property = property,
                        .time = clock_.Now() - absl::Hours(48),
                        .value = "1"};
  };
  ASSERT_TRUE(stores_->telemetry()
                  .Append({.node = "n", .store_id = "s", .stream = "t", .first = 1, .last = 1},
                          {row("ns/short", "short"), row("ns/ever", "ever"), row("ns/gone", "gone"),
                           row("ns/m", "m")})
                  .ok());
  api_.Put(DeviceModelResource(), Model("short", "1d"));
  api_.Put(DeviceModelResource(), Model("ever", "0"));
  options_.retention.telemetry = absl::Hours(36);
  options_.retention.interval = absl::Milliseconds(10);
  Restart();
  const auto left = [&] {
    std::string text;
    for (const char* property : {"short", "ever", "gone", "m"}) {
      if (!stores_->telemetry()
               .Query(*DeviceName::Make("ns", "d"), {.property = property})
               ->empty())
        text += std::string(property) + " ";
    }
    return text;
  };
  EXPECT_TRUE(Await([&] { return left() == "ever "; })) << left();
  EXPECT_TRUE(Await([&] {
    return HasMetric("skerry_devicecontroller_retention_dropped_total{kind=\"telemetry\"} 3");
  }));
}

}  // namespace
}  // namespace skerry::devicecontroller
