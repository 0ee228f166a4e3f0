#include "services/mappers/modbus/settings.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"
#include "services/mappers/modbus/testing/modbus_devices.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::IsOk;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<Endpoint> EndpointWith(const Settings& settings) {
  return EndpointOf(PumpForDriver(settings, {}).protocol);
}

absl::StatusOr<Point> PointWith(const std::string& type, const Settings& settings) {
  return PointOf(PumpForDriver({}, {{"speed", type, settings}}).properties[0]);
}

TEST(SettingsTest, ReadsEachSettingOfADevice) {
  const auto tcp = EndpointWith({{"communicateMode", "TCP"},
                                 {"ip", "fe80::1"},
                                 {"port", 1502.0},
                                 {"slaveID", "17"},
                                 {"timeout", 250.0}});
  ASSERT_THAT(tcp, IsOk());
  EXPECT_EQ(NameOf(tcp->line), "fe80::1 port 1502");
  EXPECT_EQ(tcp->slave, 17);
  EXPECT_EQ(tcp->timeout, absl::Milliseconds(250));

  const auto rtu = EndpointWith({{"serialPort", "/dev/ttyS1"},
                                 {"baudRate", 9600.0},
                                 {"dataBits", 8.0},
                                 {"parity", "even"},
                                 {"stopBits", 2.0},
                                 {"slaveID", 4.0},
                                 {"retries", 5.0}});
  ASSERT_THAT(rtu, IsOk());
  EXPECT_EQ(NameOf(rtu->line), "/dev/ttyS1 at 9600 8E2");
  EXPECT_EQ(rtu->slave, 4);
  EXPECT_EQ(rtu->retries, 5);
}

TEST(SettingsTest, ReadsEachSettingOfAProperty) {
  const auto point = PointWith("FLOAT", {{"register", "InputRegister"},
                                         {"offset", 40.0},
                                         {"limit", 2.0},
                                         {"type", "int32"},
                                         {"scale", 0.1},
                                         {"isSwap", true},
                                         {"isRegisterSwap", "false"},
                                         {"dataType", "float"}});
  ASSERT_THAT(point, IsOk());
  EXPECT_EQ(*point, (Point{.property = "speed",
                           .form = TextForm::kFloat,
                           .table = Table::kInput,
                           .offset = 40,
                           .count = 2,
                           .type = WireType::kInt32,
                           .swap_bytes = true,
                           .scale = 0.1}));
  const auto ordered =
      PointWith("BOOLEAN", {{"register", "HoldingRegister"}, {"byteOrder", "BADC"}, {"bit", 3.0}});
  ASSERT_THAT(ordered, IsOk());
  EXPECT_TRUE(ordered->swap_bytes);
  EXPECT_EQ(ordered->bit, 3);
}

TEST(SettingsTest, NamesWhatIsNoAddress) {
  for (const char* ip : {"plc.local", "10.0.0", "10.0.0.256", "::g"}) {
    EXPECT_THAT(EndpointWith({{"ip", ip}}),
                StatusIsWith(absl::StatusCode::kInvalidArgument,
                             AllOf(HasSubstr("protocol.configData.ip"), HasSubstr(ip))));
  }
}

TEST(SettingsTest, NamesWhatIsOfAnotherType) {
  const auto wrong = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(EndpointWith({{"ip", "10.0.0.7"}, {"port", "many"}}),
              StatusIsWith(wrong, AllOf(HasSubstr("protocol.configData.port"), HasSubstr("many"))));
  EXPECT_THAT(EndpointWith({{"ip", true}}), StatusIsWith(wrong, HasSubstr("configData.ip")));
  EXPECT_THAT(PointWith("INT", {{"register", "HoldingRegister"}, {"offset", 1.5}}),
              StatusIsWith(wrong, AllOf(HasSubstr("properties[speed].visitors.configData.offset"),
                                        HasSubstr("1.5"))));
  EXPECT_THAT(PointWith("INT", {{"register", "HoldingRegister"}, {"isSwap", "perhaps"}}),
              StatusIsWith(wrong, HasSubstr("isSwap")));
}

TEST(SettingsTest, EachTypeOfADeviceModel) {
  const Settings one = {{"register", "HoldingRegister"}, {"limit", 1.0}};
  for (const char* type : {"INT", "FLOAT", "DOUBLE", "BOOLEAN", "STRING", "BYTES"}) {
    EXPECT_THAT(PointWith(type, one), IsOk()) << type;
  }
  EXPECT_THAT(PointWith("STREAM", one),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           AllOf(HasSubstr("properties[speed].type"), HasSubstr("STREAM"))));
}

}  // namespace
}  // namespace skerry::mapper::modbus
