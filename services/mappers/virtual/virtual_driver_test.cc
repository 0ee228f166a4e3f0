#include "services/mappers/virtual/virtual_driver.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "services/lib/testing/status_matchers.h"
#include "services/mappers/lib/device_setup.h"
#include "services/mappers/testing/devices.h"

namespace skerry::mapper {
namespace {

using skerry::testing::StatusIs;

constexpr absl::Duration kTimeout = absl::Seconds(1);

class VirtualDriverTest : public ::testing::Test {
 protected:
  VirtualDriverTest() {
    AddProperty(model_, "temperature", "FLOAT", false);
    AddProperty(model_, "target", "FLOAT", true);
    AddProperty(model_, "on", "BOOLEAN", true);
  }

  DriverDevice Device(const std::string& kind, float seed,
                      const std::vector<std::string>& properties) {
    v1beta1::Device device = MakeDevice("v1", "virtual", "virtual");
    v1beta1::CustomizedValue& data =
        *device.mutable_spec()->mutable_protocol()->mutable_configdata();
    SetText(data, "kind", kind);
    SetNumber(data, "seed", seed);
    for (const std::string& name : properties) AddProperty(device, name, 0, 0);
    return *MakeSetup(device, model_).value().device;
  }

  v1beta1::DeviceModel model_ = MakeModel("virtual");
  VirtualDriver driver_;
};

TEST_F(VirtualDriverTest, TheSameSeedGivesTheSameTemperatures) {
  const auto readings = [&](float seed) {
    const DriverDevice device = Device("thermometer", seed, {"temperature", "target"});
    EXPECT_TRUE(driver_.Validate(device).ok());
    const auto connection = driver_.Connect(device, kTimeout).value();
    std::vector<std::string> values;
    for (int i = 0; i < 20; ++i) {
      values.push_back(connection->Read(device.properties[0], kTimeout).value());
    }
    return values;
  };
  EXPECT_EQ(readings(1), readings(1));
  EXPECT_NE(readings(1), readings(2));
}

TEST_F(VirtualDriverTest, TheTemperatureFollowsItsTarget) {
  const DriverDevice device = Device("thermometer", 1, {"temperature", "target"});
  const auto connection = driver_.Connect(device, kTimeout).value();
  ASSERT_TRUE(connection->Write(device.properties[1], "60", kTimeout).ok());
  EXPECT_EQ(connection->Read(device.properties[1], kTimeout).value(), "60.00");
  double temperature = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(
        absl::SimpleAtod(connection->Read(device.properties[0], kTimeout).value(), &temperature));
  }
  EXPECT_NEAR(temperature, 60, 3);
  EXPECT_THAT(connection->Write(device.properties[0], "1", kTimeout),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(VirtualDriverTest, ASwitchIsWrittenAndToggled) {
  const DriverDevice device = Device("switch", 1, {"on"});
  const auto connection = driver_.Connect(device, kTimeout).value();
  EXPECT_EQ(connection->Read(device.properties[0], kTimeout).value(), "false");
  ASSERT_TRUE(connection->Write(device.properties[0], "true", kTimeout).ok());
  EXPECT_EQ(connection->Call("toggle", {}, kTimeout).value(), "false");
  EXPECT_EQ(connection->Call("toggle", {}, kTimeout).value(), "true");
  EXPECT_EQ(connection->Read(device.properties[0], kTimeout).value(), "true");
  EXPECT_THAT(connection->Call("explode", {}, kTimeout),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(VirtualDriverTest, RefusesSettingsThatCantBeMeant) {
  EXPECT_THAT(driver_.Validate(Device("lamp", 1, {})),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(driver_.Validate(Device("switch", 1.5, {})),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(driver_.Validate(Device("switch", 1, {"temperature"})),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::mapper
