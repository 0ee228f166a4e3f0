// twin-svc and a mapper as they are, killed at will: a device obeys, and is heard of.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "e2e/devices/child_process.h"
#include "e2e/devices/object_server.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOkAndHolds;

constexpr absl::Duration kPatience = absl::Seconds(40);
constexpr char kDevices[] = "devices.devices.kubeedge.io";
constexpr char kModels[] = "devicemodels.devices.kubeedge.io";

class MapperTest : public ::testing::Test {
 protected:
  MapperTest() {
    objects_.Put(kModels, "home/switch",
                 R"({"metadata":{"namespace":"home","name":"switch"},"spec":{"properties":[
                     {"name":"on","type":"BOOLEAN","accessMode":"ReadWrite"}]}})");
    PutLamp("lamp", 1, "true");
    twin_stub_ = twin::v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = Socket("twin"), .backoff_max = absl::Seconds(1)}));
    mapper_stub_ = v1beta1::DeviceMapperService::NewStub(
        *rpc::MakeChannel({.target = Socket("virtual-mapper"), .backoff_max = absl::Seconds(1)}));
    twin_.Start();
    mapper_.Start();
  }
  ~MapperTest() override {
    if (HasFailure()) {
      for (const char* log : {"twin.log", "mapper.log"}) {
        std::cerr << log << ":\n" << skerry::testing::ReadFileText(dir_.File(log));
      }
    }
  }

  std::string Socket(const std::string& name) {
    return absl::StrCat("unix:", dir_.File(name + ".sock"));
  }
  void PutLamp(const std::string& name, int generation, const std::string& on) {
    objects_.Put(kDevices, absl::StrCat("home/", name),
                 absl::StrCat(R"({"metadata":{"namespace":"home","name":")", name, R"(","uid":"u-)",
                              name, R"(","generation":)", generation,
                              R"(},"spec":{"deviceModelRef":{"name":"switch"},
                     "protocol":{"protocolName":"virtual","configData":{"kind":"switch"}},
                     "properties":[{"name":"on","desired":{"value":")",
                              on, R"("},"collectCycle":50,"reportCycle":50,"reportToCloud":true}],
                     "stateReport":{"reportToCloud":true,"reportCycle":60000}}})"));
  }
  // Also where the former twin-svc has left a broken connection.
  bool Desire(const std::string& on) {
    twin::v1::WriteTwinRequest request;
    request.set_name("namespaces/home/devices/lamp/twin");
    request.set_writer("panel");
    (*request.mutable_desired())["on"].set_value(on);
    twin::v1::WriteTwinResponse response;
    return Until([&] {
      return rpc::CallUnary(kPatience,
                            [&](grpc::ClientContext* context) {
                              return twin_stub_->WriteTwin(context, request, &response);
                            })
          .ok();
    });
  }
  // Empty where there is none.
  twin::v1::Twin TwinOf(const std::string& lamp) {
    twin::v1::GetTwinRequest request;
    request.set_name(absl::StrCat("namespaces/home/devices/", lamp, "/twin"));
    twin::v1::Twin twin;
    rpc::CallUnary(kPatience, [&](grpc::ClientContext* context) {
      return twin_stub_->GetTwin(context, request, &twin);
    }).IgnoreError();
    return twin;
  }
  // What the device is, as its twin tells.
  twin::v1::Property On(const std::string& lamp) {
    const twin::v1::Twin twin = TwinOf(lamp);
    const auto on = twin.properties().find("on");
    return on == twin.properties().end() ? twin::v1::Property() : on->second;
  }
  absl::StatusOr<std::string> Call(const std::string& method) {
    twin::v1::MethodCall call;
    call.set_device("home/lamp");
    call.set_method(method);
    twin::v1::MethodResult result;
    const absl::Status status = rpc::CallUnary(kPatience, [&](grpc::ClientContext* context) {
      return twin_stub_->CallMethod(context, call, &result);
    });
    if (!status.ok()) return status;
    return result.payload();
  }
  bool MapperHas(const std::string& lamp) {
    v1beta1::GetDeviceRequest request;
    request.set_devicenamespace("home");
    request.set_devicename(lamp);
    v1beta1::GetDeviceResponse response;
    return rpc::CallUnary(kPatience,
                          [&](grpc::ClientContext* context) {
                            return mapper_stub_->GetDevice(context, request, &response);
                          })
        .ok();
  }
  static bool Until(const std::function<bool()>& good) {
    const absl::Time limit = absl::Now() + kPatience;
    while (!good()) {
      if (absl::Now() > limit) return false;
    }
    return true;
  }
  bool UntilOn(const std::string& value, const std::string& lamp = "lamp") {
    return Until([&] { return On(lamp).reported().value() == value; });
  }

  skerry::testing::TempDir dir_;
  ObjectServer objects_{Socket("edge-meta")};
  ChildProcess twin_{{"services/twin-svc/twin-svc", "--run_dir", dir_.path(), "--state_dir",
                      dir_.File("state"), "--meta_reconnect_max", "200ms"},
                     dir_.File("twin.log")};
  ChildProcess mapper_{{"services/mappers/virtual/virtual-mapper", "--run_dir", dir_.path()},
                       dir_.File("mapper.log")};
  std::unique_ptr<twin::v1::TwinService::Stub> twin_stub_;
  std::unique_ptr<v1beta1::DeviceMapperService::Stub> mapper_stub_;
};

TEST_F(MapperTest, ADeviceObeysAndIsHeardOf) {
  ASSERT_TRUE(UntilOn("true"));
  const twin::v1::Property on = On("lamp");
  EXPECT_EQ(on.reported().writer(), "mapper:virtual-mapper");
  EXPECT_EQ(on.reported().metadata().at("type"), "boolean");
  ASSERT_TRUE(Desire("false"));
  EXPECT_TRUE(UntilOn("false"));
  PutLamp("lamp", 2, "false");
  PutLamp("second", 1, "true");
  EXPECT_TRUE(UntilOn("true", "second"));
  objects_.Put(kDevices, "home/second", "");
  EXPECT_TRUE(Until([&] { return !MapperHas("second"); }));
  EXPECT_EQ(mapper_.Terminate(), 0);
  EXPECT_EQ(twin_.Terminate(), 0);
}

TEST_F(MapperTest, ADeviceIsCalledAndItsStateIsKnown) {
  ASSERT_TRUE(UntilOn("true"));
  EXPECT_TRUE(Until([&] { return TwinOf("lamp").state().state() == "online"; }));
  EXPECT_EQ(TwinOf("lamp").state().writer(), "mapper:virtual-mapper");
  EXPECT_THAT(Call("toggle"), IsOkAndHolds("false"));
  EXPECT_TRUE(UntilOn("false"));
  EXPECT_THAT(Call("explode"), HasReason("METHOD_UNKNOWN"));
  mapper_.Kill();
  EXPECT_THAT(Call("toggle"), HasReason("MAPPER_AWAY"));
  mapper_.Start();
  EXPECT_TRUE(Until([&] { return Call("toggle").ok(); }));
}

TEST_F(MapperTest, TwinSvcIsKilledAndComesBack) {
  PutLamp("second", 1, "true");
  ASSERT_TRUE(UntilOn("true", "second"));
  ASSERT_TRUE(UntilOn("true"));
  for (int round = 0; round < 2; ++round) {
    const std::string next = round % 2 == 0 ? "false" : "true";
    twin_.Kill();
    twin_.Start();
    ASSERT_TRUE(Desire(next));
    ASSERT_TRUE(UntilOn(next)) << round;
  }
  // What is unbound meanwhile.
  twin_.Kill();
  objects_.Put(kDevices, "home/second", "");
  PutLamp("lamp", 2, "false");
  twin_.Start();
  EXPECT_TRUE(UntilOn("false"));
  EXPECT_TRUE(Until([&] { return !MapperHas("second"); }));
}

TEST_F(MapperTest, TheMapperIsKilledAndComesBack) {
  ASSERT_TRUE(UntilOn("true"));
  mapper_.Kill();
  ASSERT_TRUE(Desire("false"));
  PutLamp("second", 1, "true");
  mapper_.Start();
  EXPECT_TRUE(UntilOn("false"));
  EXPECT_TRUE(UntilOn("true", "second"));
  mapper_.Kill();
  mapper_.Start();
  ASSERT_TRUE(Desire("true"));
  EXPECT_TRUE(UntilOn("true"));
}

TEST_F(MapperTest, BothAreKilled) {
  ASSERT_TRUE(UntilOn("true"));
  mapper_.Kill();
  ASSERT_TRUE(Desire("false"));
  twin_.Kill();
  mapper_.Start();
  twin_.Start();
  EXPECT_TRUE(UntilOn("false")) << "what was answered holds";
}

}  // namespace
}  // namespace skerry::e2e
