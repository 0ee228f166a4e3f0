#include "services/twin-svc/runner/device_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/fake_twin_store.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");

std::string PumpJson(int generation, const std::string& target,
                     const std::string& name = "pump-1") {
  return absl::StrCat(R"({"kind":"Device","metadata":{"namespace":"plant","name":")", name,
                      R"(","uid":"u1","generation":)", generation,
                      R"(},"spec":{"deviceModelRef":{"name":"pump"},"nodeName":"edge-1",
        "protocol":{"protocolName":"modbus"},"properties":[
        {"name":"target","desired":{"value":")",
                      target, R"("}},{"name":"level"}]}})");
}

std::string ModelJson(const std::string& level_type) {
  return absl::StrCat(R"({"kind":"DeviceModel","metadata":{"namespace":"plant","name":"pump"},
        "spec":{"properties":[{"name":"target","type":"INT","accessMode":"ReadWrite"},
        {"name":"level","type":")",
                      level_type, R"(","accessMode":"ReadOnly"}]}})");
}

class DeviceFollowerTest : public ::testing::Test {
 protected:
  absl::Status DoWrite(const std::string& property, const std::string& value) {
    absl::Status status;
    absl::Notification done;
    desk_->Submit(kPump, {.reported = {{property, Value{.value = value, .writer = "mapper"}}}},
                  false, [&](const absl::StatusOr<Written>& written) {
                    status = written.status();
                    done.Notify();
                  });
    done.WaitForNotification();
    return status;
  }
  void Settle() { DoWrite("level", "").IgnoreError(); }
  std::string Target() {
    Settle();
    const absl::StatusOr<TwinPtr> twin = desk_->Get(kPump);
    return twin.ok() ? (*twin)->properties.at("target").desired()->value : "no device";
  }

  testing::FakeClock clock_;
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics metrics_{registry_};
  FakeTwinStore store_;
  std::unique_ptr<TwinDesk> desk_ = *TwinDesk::Create(store_, {}, clock_, metrics_, nullptr);
  bool connected_ = false;
  DeviceFollower follower_{*desk_, clock_, metrics_, log::Logger::Null(),
                           [this](bool connected) { connected_ = connected; }};
};

TEST_F(DeviceFollowerTest, ADeviceIsDeclared) {
  follower_.OnObject(kDevices, "plant/pump-1", PumpJson(1, "20"));
  EXPECT_EQ(Target(), "20");
  follower_.OnObject(kDevices, "plant/pump-1", PumpJson(2, "21"));
  EXPECT_EQ(Target(), "21");
  follower_.OnObjectDeleted(kDevices, "plant/pump-1");
  EXPECT_EQ(Target(), "no device");
}

TEST_F(DeviceFollowerTest, ValuesFollowTheModelWhicheverComesFirst) {
  follower_.OnObject(kDevices, "plant/pump-1", PumpJson(1, "20"));
  EXPECT_THAT(DoWrite("level", "high"), IsOk()) << "no model yet";
  follower_.OnObject(kModels, "plant/pump", ModelJson("FLOAT"));
  EXPECT_THAT(DoWrite("level", "high"), HasReason("VALUE_TYPE"));
  follower_.OnObject(kModels, "plant/pump", ModelJson("STRING"));
  EXPECT_THAT(DoWrite("level", "high"), IsOk());
  follower_.OnObject(kModels, "plant/pump", ModelJson("INT"));
  follower_.OnObjectDeleted(kModels, "plant/pump");
  EXPECT_THAT(DoWrite("level", "high"), IsOk());
}

TEST_F(DeviceFollowerTest, WhatCannotBeReadLeavesWhatWas) {
  follower_.OnObject(kDevices, "plant/pump-1", PumpJson(1, "20"));
  follower_.OnObject(kModels, "plant/pump", ModelJson("FLOAT"));
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string(R"({"metadata":{"namespace":3}})"),
        PumpJson(2, "21", "pump-2")}) {
    follower_.OnObject(kDevices, "plant/pump-1", bad);
  }
  follower_.OnObject(kModels, "plant/pump", ModelJson("COLOUR"));
  follower_.OnObject(kDevices, "no/such/key", PumpJson(2, "21"));
  EXPECT_EQ(metrics_.objects_refused.Value(), 6);
  EXPECT_EQ(Target(), "20");
  EXPECT_THAT(DoWrite("level", "high"), HasReason("VALUE_TYPE"));
  follower_.OnSynced();
  EXPECT_EQ(Target(), "20") << "it is bound, if badly written";
}

TEST_F(DeviceFollowerTest, WhatIsNotNamedBySyncedIsGone) {
  follower_.OnObject(kDevices, "plant/pump-1", PumpJson(1, "20"));
  Settle();
  DeviceFollower anew(*desk_, clock_, metrics_, log::Logger::Null(), [](bool) {});
  EXPECT_EQ(Target(), "20") << "nothing has been told yet";
  anew.OnSynced();
  EXPECT_EQ(Target(), "no device");
}

class ListingSink final : public DeviceSink {
 public:
  absl::Status PutDevice(const device::DeviceSpec& spec, const nlohmann::json& device) override {
    seen.push_back(absl::StrCat("device ", spec.name.value(), " ", spec.protocol, " ",
                                device["metadata"]["generation"].get<int>()));
    return refuse ? absl::InvalidArgumentError("no") : absl::OkStatus();
  }
  void DropDevice(const DeviceName& name) override {
    seen.push_back(absl::StrCat("no device ", name.value()));
  }
  absl::Status PutModel(const ObjectKey& name, const nlohmann::json&) override {
    seen.push_back(absl::StrCat("model ", name.value()));
    return absl::OkStatus();
  }
  void DropModel(const ObjectKey& name) override {
    seen.push_back(absl::StrCat("no model ", name.value()));
  }
  void OnSynced() override { seen.push_back("synced"); }

  std::vector<std::string> seen;
  bool refuse = false;
};

TEST_F(DeviceFollowerTest, TellsASink) {
  ListingSink sink;
  DeviceFollower follower(
      *desk_, clock_, metrics_, log::Logger::Null(), [](bool) {}, &sink);
  follower.OnObject(kModels, "plant/pump", ModelJson("FLOAT"));
  follower.OnObject(kDevices, "plant/pump-1", PumpJson(1, "20"));
  follower.OnObject(kDevices, "plant/pump-1", "{");
  follower.OnSynced();
  sink.refuse = true;
  follower.OnObject(kDevices, "plant/pump-1", PumpJson(2, "21"));
  EXPECT_EQ(metrics_.objects_refused.Value(), 2);
  EXPECT_EQ(Target(), "21") << "the twin can use it";
  follower.OnObjectDeleted(kDevices, "plant/pump-1");
  follower.OnObjectDeleted(kModels, "plant/pump");
  EXPECT_EQ(sink.seen, (std::vector<std::string>{"model plant/pump", "device plant/pump-1 modbus 1",
                                                 "synced", "device plant/pump-1 modbus 2",
                                                 "no device plant/pump-1", "no model plant/pump"}));
}

TEST_F(DeviceFollowerTest, TellsWhetherItIsConnected) {
  follower_.OnConnected(true);
  EXPECT_TRUE(connected_);
  EXPECT_EQ(metrics_.meta_connected.Value(), 1);
  follower_.OnConnected(false);
  EXPECT_FALSE(connected_);
}

}  // namespace
}  // namespace skerry::twin
