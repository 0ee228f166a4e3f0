#include "services/mappers/modbus/core/endpoint.h"

#include <gtest/gtest.h>

#include <functional>

#include "services/lib/testing/status_matchers.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

EndpointSettings Tcp() { return {.ip = "10.0.0.7"}; }
EndpointSettings Rtu() { return {.serial_port = "/dev/ttyUSB0", .slave_id = 3}; }

TEST(EndpointTest, DefaultsOfTcp) {
  const auto endpoint = MakeEndpoint(Tcp());
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(endpoint->line, (Line{.ip = "10.0.0.7", .port = 502}));
  EXPECT_EQ(endpoint->slave, 1);
  EXPECT_EQ(endpoint->timeout, absl::Seconds(1));
  EXPECT_EQ(endpoint->retries, 0);
  EXPECT_EQ(NameOf(endpoint->line), "10.0.0.7 port 502");
  EXPECT_EQ(SilenceOf(endpoint->line), absl::ZeroDuration());
}

TEST(EndpointTest, DefaultsOfRtu) {
  const auto endpoint = MakeEndpoint(Rtu());
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(NameOf(endpoint->line), "/dev/ttyUSB0 at 19200 8N1");
  EXPECT_EQ(endpoint->slave, 3);
  EXPECT_EQ(endpoint->retries, 2);
}

TEST(EndpointTest, TakesAllSettings) {
  EndpointSettings tcp = Tcp();
  tcp.communicate_mode = "TCP";
  tcp.port = 1502;
  tcp.slave_id = 255;
  tcp.timeout = 4000;
  const auto by_tcp = MakeEndpoint(tcp);
  ASSERT_TRUE(by_tcp.ok());
  EXPECT_EQ(by_tcp->line.port, 1502);
  EXPECT_EQ(by_tcp->slave, 255);
  EXPECT_EQ(by_tcp->timeout, absl::Seconds(4));

  EndpointSettings rtu = Rtu();
  rtu.communicate_mode = "rtu";
  rtu.ip = "10.0.0.7";  // Of no meaning then.
  rtu.baud_rate = 115200;
  rtu.data_bits = 8;
  rtu.parity = "Even";
  rtu.stop_bits = 2;
  rtu.retries = 0;
  const auto by_rtu = MakeEndpoint(rtu);
  ASSERT_TRUE(by_rtu.ok());
  EXPECT_EQ(NameOf(by_rtu->line), "/dev/ttyUSB0 at 115200 8E2");
  EXPECT_EQ(by_rtu->retries, 0);
}

TEST(EndpointTest, NamesWhatCannotBe) {
  struct Case {
    const char* field;
    const char* value;
    const char* fix;
    EndpointSettings base;
    std::function<void(EndpointSettings&)> change;
  };
  const Case cases[] = {
      {"communicateMode", "''", "TCP with ip", {}, [](auto&) {}},
      {"communicateMode", "''", "RTU with serialPort", Rtu(), [](auto& s) { s.ip = "10.0.0.7"; }},
      {"communicateMode", "ASCII", "TCP or RTU", Rtu(),
       [](auto& s) { s.communicate_mode = "ASCII"; }},
      {"ip", "''", "IPv4", Rtu(), [](auto& s) { s.communicate_mode = "TCP"; }},
      {"port", "0", "1 to 65535", Tcp(), [](auto& s) { s.port = 0; }},
      {"port", "65536", "1 to 65535", Tcp(), [](auto& s) { s.port = 65536; }},
      {"slaveID", "248", "0 to 247", Tcp(), [](auto& s) { s.slave_id = 248; }},
      {"slaveID", "-1", "0 to 247", Tcp(), [](auto& s) { s.slave_id = -1; }},
      {"retries", "1", "TCP", Tcp(), [](auto& s) { s.retries = 1; }},
      {"timeout", "9", "10 to 4000", Tcp(), [](auto& s) { s.timeout = 9; }},
      {"timeout", "1000000000", "10 to 4000", Tcp(), [](auto& s) { s.timeout = 1000000000; }},
      {"serialPort", "''", "absolute path", Tcp(), [](auto& s) { s.communicate_mode = "RTU"; }},
      {"serialPort", "1", "absolute path", Rtu(), [](auto& s) { s.serial_port = "1"; }},
      {"serialPort", "/dev", "absolute path", Rtu(),
       [](auto& s) { s.serial_port = std::string("/dev\0x", 6); }},
      {"baudRate", "9601", "9600", Rtu(), [](auto& s) { s.baud_rate = 9601; }},
      {"dataBits", "7", "give 8", Rtu(), [](auto& s) { s.data_bits = 7; }},
      {"parity", "mark", "none, even or odd", Rtu(), [](auto& s) { s.parity = "mark"; }},
      {"stopBits", "3", "1 to 2", Rtu(), [](auto& s) { s.stop_bits = 3; }},
      {"slaveID", "''", "1 to 247", Rtu(), [](auto& s) { s.slave_id.reset(); }},
      {"slaveID", "0", "1 to 247", Rtu(), [](auto& s) { s.slave_id = 0; }},
      {"slaveID", "255", "1 to 247", Rtu(), [](auto& s) { s.slave_id = 255; }},
      {"retries", "11", "0 to 10", Rtu(), [](auto& s) { s.retries = 11; }},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.field);
    EndpointSettings settings = each.base;
    each.change(settings);
    EXPECT_THAT(MakeEndpoint(settings),
                StatusIsWith(absl::StatusCode::kInvalidArgument,
                             AllOf(HasSubstr(std::string("protocol.configData.") + each.field),
                                   HasSubstr(each.value), HasSubstr(each.fix))));
  }
}

TEST(EndpointTest, LinesAreSharedByPortAndByAddress) {
  const Line one{.serial = true, .path = "/dev/ttyS0", .baud_rate = 9600};
  Line other = one;
  other.baud_rate = 19200;
  EXPECT_EQ(KeyOf(one), KeyOf(other));
  EXPECT_NE(one, other);
  EXPECT_NE(KeyOf({.ip = "10.0.0.7", .port = 502}), KeyOf({.ip = "10.0.0.7", .port = 503}));
}

TEST(EndpointTest, SilenceOfThreeAndAHalfCharacters) {
  const Line slow{.serial = true, .baud_rate = 9600, .parity = 'E', .stop_bits = 1};
  EXPECT_EQ(SilenceOf(slow), absl::Seconds(3.5 * 11 / 9600));
  EXPECT_EQ(SilenceOf({.serial = true, .baud_rate = 115200}), absl::Microseconds(1750));
}

}  // namespace
}  // namespace skerry::mapper::modbus
