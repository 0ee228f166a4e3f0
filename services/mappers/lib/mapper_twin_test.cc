// A mapper and a twin-svc that comes and goes.
#include <gtest/gtest.h>

#include "services/mappers/testing/devices.h"
#include "services/mappers/testing/mapper_fixture.h"

namespace skerry::mapper {
namespace {

using Seen = FakeTwin::Seen;

class MapperTwinTest : public MapperFixture {
 protected:
  v1beta1::Device Thermometer(const std::string& name) {
    v1beta1::Device device = Sensor(name);
    AddProperty(device, "temperature", 100, 100);
    return device;
  }
};

TEST_F(MapperTwinTest, RegistersWhenTwinComes) {
  StartMapper();
  EXPECT_FALSE(app_->readiness().ready());
  twin_.SetDevices({model_, model_}, {Thermometer("s1")});
  SetValue("s1", "temperature", "20");
  twin_.Start();
  ASSERT_TRUE(UntilReported("s1", "temperature", "20"));
  EXPECT_TRUE(app_->readiness().ready());

  const v1beta1::MapperRegisterRequest request = twin_.seen().registrations.at(0);
  EXPECT_TRUE(request.withdata());
  EXPECT_EQ(request.mapper().name(), "fake-mapper");
  EXPECT_EQ(request.mapper().protocol(), "fake");
  EXPECT_EQ(request.mapper().state(), "ok");
  EXPECT_EQ(request.mapper().address(), dir_.File("fake-mapper.sock"));
}

// No report is under way that could fail: the watch of its health tells.
TEST_F(MapperTwinTest, RegistersAgainAfterARestartAndTakesWhatChanged) {
  twin_.SetDevices({model_}, {Thermometer("s1"), Sensor("s2")});
  twin_.Start();
  StartMapper();
  ASSERT_TRUE(UntilReads("s1", 2));
  twin_.Stop();
  v1beta1::Device changed = Sensor("s2");
  AddProperty(changed, "temperature", 100, 100);
  SetValue("s2", "temperature", "2");
  SetValue("s3", "temperature", "3");
  twin_.SetDevices({model_}, {changed, Thermometer("s3")});
  twin_.Clear();
  twin_.Start();
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.registrations.size() == 1; }));
  EXPECT_TRUE(UntilReported("s2", "temperature", "2"));
  EXPECT_TRUE(UntilReported("s3", "temperature", "3"));
  EXPECT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.open == 0; }));
  EXPECT_EQ(driver_.Get("s2").connects, 1);  // It was only told more.
}

TEST_F(MapperTwinTest, RegistersAgainWithoutDevicesToo) {
  twin_.Start();
  StartMapper();
  ASSERT_TRUE(UntilTwin([&](const Seen&) { return app_->readiness().ready(); }));
  twin_.Stop();
  ASSERT_TRUE(UntilTwin([&](const Seen&) { return !app_->readiness().ready(); }));
  twin_.Start();
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.registrations.size() >= 2; }));
}

TEST_F(MapperTwinTest, TellsTheNewestWhenTwinIsBack) {
  SetValue("s1", "temperature", "1");
  v1beta1::Device device = Sensor("s1");
  AddProperty(device, "temperature", 1000, 1000);
  AddProperty(device, "target", 1000, 1000, "4");
  twin_.SetDevices({model_}, {device});
  twin_.Start();
  StartMapper();
  ASSERT_TRUE(UntilReported("s1", "temperature", "1"));
  twin_.Stop();
  ASSERT_TRUE(UntilReads("s1", 4));
  SetValue("s1", "temperature", "2");
  ASSERT_TRUE(UntilReads("s1", 4));
  SetValue("s1", "temperature", "3");
  ASSERT_TRUE(UntilReads("s1", 4));
  // The device is lost before twin-svc is back: what was read last is told all the same.
  driver_.Change("s1", [](FakeDriver::Device& d) { d.failure = absl::UnavailableError("gone"); });
  ASSERT_TRUE(UntilDevice("s1", [](const FakeDriver::Device& d) { return d.open == 0; }));
  twin_.Clear();
  twin_.Start();
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return !seen.reports.empty(); }));
  EXPECT_EQ(twin_.seen().Reported("s1", "temperature"), "3");
  EXPECT_TRUE(UntilTwin([](const Seen& seen) { return seen.State("s1") == "offline"; }));
}

TEST_F(MapperTwinTest, TriesAgainWhereTwinHasNoRoom) {
  SetValue("s1", "temperature", "1");
  twin_.SetDevices({model_}, {Thermometer("s1")});
  twin_.FailReports(absl::ResourceExhaustedError("busy"));
  twin_.Start();
  StartMapper();
  ASSERT_TRUE(UntilTwin([](const Seen& seen) { return seen.refused >= 2; }));
  SetValue("s1", "temperature", "2");
  ASSERT_TRUE(UntilReads("s1", 2));
  twin_.FailReports(absl::OkStatus());
  EXPECT_TRUE(UntilReported("s1", "temperature", "2"));
  EXPECT_EQ(twin_.seen().registrations.size(), 1u);  // It was there.
}

TEST_F(MapperTwinTest, HasAThreadForSoManyDevicesOnly) {
  config_.devices_max = 1;
  twin_.SetDevices({model_}, {Thermometer("s1"), Thermometer("s2")});
  twin_.Start();
  StartMapper();
  ASSERT_TRUE(UntilReads("s1", 1));
  EXPECT_EQ(RegisterDevice(Thermometer("s3")).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(driver_.Get("s2").connects, 0);
}

}  // namespace
}  // namespace skerry::mapper
