// Devices, from their driver to twin-svc.
#include <gtest/gtest.h>

#include "services/mappers/testing/devices.h"
#include "services/mappers/testing/mapper_fixture.h"

namespace skerry::mapper {
namespace {

using Seen = FakeTwin::Seen;
using Stub = v1beta1::DeviceMapperService::Stub;

class MapperTest : public MapperFixture {
 protected:
  void SetUp() override {
    twin_.SetDevices({model_}, {});
    twin_.Start();
    StartMapper();
    ASSERT_TRUE(UntilTwin([](const Seen& seen) { return !seen.registrations.empty(); }));
    ASSERT_TRUE(UntilTwin([&](const Seen&) { return app_->readiness().ready(); }));
  }
};

TEST_F(MapperTest, CollectsAndReports) {
  SetValue("s1", "temperature", "20.5");
  v1beta1::Device device = Sensor("s1");
  AddProperty(device, "temperature", 1000, 5000);
  ASSERT_TRUE(RegisterDevice(device).ok());
  ASSERT_TRUE(UntilReported("s1", "temperature", "20.5"));
  SetValue("s1", "temperature", "21");
  ASSERT_TRUE(UntilReported("s1", "temperature", "21"));

  const v1beta1::ReportDeviceStatusRequest report = twin_.seen().reports.back();
  EXPECT_EQ(report.devicenamespace(), "plant");
  const v1beta1::Twin& twin = report.reporteddevice().twins(0);
  EXPECT_TRUE(twin.has_observeddesired());
  EXPECT_EQ(twin.observeddesired().value(), "");
  EXPECT_EQ(twin.reported().metadata().at("type"), "float");
  // FakeClock's time: 2026.
  EXPECT_EQ(twin.reported().metadata().at("timestamp").substr(0, 5), "17672");
}

TEST_F(MapperTest, ReportsAChangeBeyondTheDeadBandAtOnce) {
  SetValue("s1", "temperature", "20");
  v1beta1::Device device = Sensor("s1");
  v1beta1::CustomizedValue& visitor =
      *AddProperty(device, "temperature", 1000, 86400000)->mutable_visitors()->mutable_configdata();
  SetFlag(visitor, "reportOnChange", true);
  SetNumber(visitor, "deadBand", 2);
  ASSERT_TRUE(RegisterDevice(device).ok());
  ASSERT_TRUE(UntilReported("s1", "temperature", "20"));
  SetValue("s1", "temperature", "21.9");
  ASSERT_TRUE(UntilReads("s1", 3));
  EXPECT_EQ(twin_.seen().Reported("s1", "temperature"), "20");
  SetValue("s1", "temperature", "22.1");
  ASSERT_TRUE(UntilReported("s1", "temperature", "22.1"));
}

TEST_F(MapperTest, WritesWhatIsDesiredUntilTheDeviceTakesIt) {
  driver_.Change("s1", [](FakeDriver::Device& d) {
    d.values["target"] = "1";
    d.write_failure = absl::InternalError("valve is stuck");
  });
  v1beta1::Device device = Sensor("s1");
  AddProperty(device, "target", 1000, 1000, "5");
  ASSERT_TRUE(RegisterDevice(device).ok());
  ASSERT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.writes.size() >= 3; }));
  EXPECT_EQ(twin_.seen().Observed("s1", "target"), "");

  // Newest wins.
  device.mutable_spec()->mutable_properties(0)->mutable_desired()->set_value("7");
  ASSERT_TRUE(UpdateDevice(device).ok());
  ASSERT_TRUE(
      UntilDevice("s1", [](const FakeDriver::Device& d) { return d.writes.back() == "target=7"; }));
  driver_.Change("s1", [](FakeDriver::Device& d) { d.write_failure = absl::OkStatus(); });
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.Observed("s1", "target") == "7"; }));
  EXPECT_EQ(twin_.seen().Reported("s1", "target"), "7");

  // What is written is not written again, neither with the same device nor with another cycle.
  const size_t writes = driver_.Get("s1").writes.size();
  ASSERT_TRUE(UpdateDevice(device).ok());
  device.mutable_spec()->mutable_properties(0)->set_collectcycle(500);
  ASSERT_TRUE(UpdateDevice(device).ok());
  ASSERT_TRUE(UntilReads("s1", 3));
  EXPECT_EQ(driver_.Get("s1").writes.size(), writes);
  EXPECT_EQ(driver_.Get("s1").connects, 1);
}

TEST_F(MapperTest, ReportsStatesWhenTheyChange) {
  SetValue("s1", "temperature", "1");
  v1beta1::Device device = Sensor("s1");
  AddProperty(device, "temperature", 1000, 1000);
  ASSERT_TRUE(RegisterDevice(device).ok());
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.State("s1") == "online"; }));
  driver_.Change("s1",
                 [](FakeDriver::Device& d) { d.failure = absl::UnavailableError("unplugged"); });
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.State("s1") == "offline"; }));
  driver_.Change("s1", [](FakeDriver::Device& d) { d.failure = absl::OkStatus(); });
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.State("s1") == "online"; }));
  EXPECT_GE(driver_.Get("s1").connects, 2);
}

TEST_F(MapperTest, ARemovedDeviceIsLeftAlone) {
  v1beta1::Device device = Sensor("s1");
  AddProperty(device, "temperature", 100, 100);
  ASSERT_TRUE(RegisterDevice(device).ok());
  ASSERT_TRUE(RegisterDevice([&] {
                v1beta1::Device other = device;
                other.set_name("s2");
                return other;
              }())
                  .ok());
  ASSERT_TRUE(UntilReads("s1", 2));
  ASSERT_TRUE(RemoveDevice("s1").ok());
  ASSERT_TRUE(RemoveDevice("s1").ok());  // Again: nothing.
  ASSERT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.open == 0; }));
  const int reads = driver_.Get("s1").reads;
  ASSERT_TRUE(UntilReads("s2", 20));
  EXPECT_EQ(driver_.Get("s1").reads, reads);
}

TEST_F(MapperTest, ADeviceThatHangsDelaysNoOther) {
  driver_.Change("slow", [](FakeDriver::Device& d) { d.hangs = true; });
  v1beta1::Device slow = Sensor("slow");
  AddProperty(slow, "temperature", 100, 100);
  v1beta1::Device quick = Sensor("quick");
  AddProperty(quick, "temperature", 100, 100);
  SetValue("quick", "temperature", "3");
  ASSERT_TRUE(RegisterDevice(slow).ok());
  ASSERT_TRUE(UntilDevice("slow", [](const FakeDriver::Device& d) { return d.reads == 1; }));
  ASSERT_TRUE(RegisterDevice(quick).ok());
  EXPECT_TRUE(UntilReported("quick", "temperature", "3"));
  EXPECT_TRUE(UntilReads("quick", 20));
  EXPECT_EQ(driver_.Get("slow").reads, 1);
  // Twice its time is over: nobody knows how it is.
  EXPECT_TRUE(UntilTwin([](const Seen& seen) { return seen.State("slow") == "offline"; }));
  // Nor does its removal.
  ASSERT_TRUE(RemoveDevice("slow").ok());
  EXPECT_TRUE(UntilReads("quick", 5));
}

TEST_F(MapperTest, RefusesWhatItCantDo) {
  v1beta1::Device device = Sensor("s1");
  device.mutable_spec()->set_devicemodelreference("other");
  EXPECT_EQ(RegisterDevice(device).code(), absl::StatusCode::kFailedPrecondition);
  device = MakeDevice("s1", "sensor", "modbus");
  EXPECT_EQ(RegisterDevice(device).code(), absl::StatusCode::kInvalidArgument);
  device = Sensor("s1");
  AddProperty(device, "humidity", 0, 0);
  EXPECT_EQ(RegisterDevice(device).code(), absl::StatusCode::kInvalidArgument);
  device = Sensor("s1");
  SetFlag(*device.mutable_spec()->mutable_protocol()->mutable_configdata(), "refuse", true);
  EXPECT_EQ(RegisterDevice(device).code(), absl::StatusCode::kInvalidArgument);

  v1beta1::GetDeviceRequest get;
  get.set_devicename("s1");
  get.set_devicenamespace("plant");
  v1beta1::GetDeviceResponse got;
  EXPECT_EQ(Call(&Stub::GetDevice, get, &got).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(RegisterDevice(Sensor("s1")).ok());
  ASSERT_TRUE(Call(&Stub::GetDevice, get, &got).ok());
  EXPECT_EQ(got.device().spec().devicemodelreference(), "sensor");
}

TEST_F(MapperTest, ModelsComeChangeAndGo) {
  v1beta1::CreateDeviceModelRequest create;
  *create.mutable_model() = MakeModel("meter");
  v1beta1::CreateDeviceModelResponse created;
  ASSERT_TRUE(Call(&Stub::CreateDeviceModel, create, &created).ok());
  EXPECT_EQ(created.devicemodelname(), "meter");
  v1beta1::Device device = MakeDevice("m1", "meter", "fake");
  AddProperty(device, "count", 100, 100);
  EXPECT_FALSE(RegisterDevice(device).ok());  // The model has no such property.
  v1beta1::UpdateDeviceModelRequest update;
  *update.mutable_model() = create.model();
  AddProperty(*update.mutable_model(), "count", "INT", false);
  ASSERT_TRUE(Call(&Stub::UpdateDeviceModel, update).ok());
  ASSERT_TRUE(RegisterDevice(device).ok());
  v1beta1::RemoveDeviceModelRequest remove;
  remove.set_modelname("meter");
  remove.set_modelnamespace("plant");
  ASSERT_TRUE(Call(&Stub::RemoveDeviceModel, remove).ok());
  ASSERT_TRUE(Call(&Stub::RemoveDeviceModel, remove).ok());
  EXPECT_TRUE(UntilReads("m1", 3));  // It goes on.
}

}  // namespace
}  // namespace skerry::mapper
