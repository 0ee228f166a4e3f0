// The driver and an independent server, over TCP and over a serial line.
#include "services/mappers/modbus/modbus_driver.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "services/lib/testing/status_matchers.h"
#include "services/mappers/modbus/testing/modbus_devices.h"
#include "services/mappers/modbus/testing/modbus_server.h"

namespace skerry::mapper {
namespace {

using modbus::ModbusServer;
using modbus::PropertySpec;
using modbus::PumpForDriver;
using modbus::SerialCable;
using modbus::Settings;
using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::Duration kTimeout = absl::Seconds(5);

Settings Holding(double offset, Settings more = {}) {
  more["register"] = "HoldingRegister";
  more["offset"] = offset;
  return more;
}

Settings In(const std::string& table, double offset) {
  return {{"register", table}, {"offset", offset}};
}

Settings WithLimit(Settings settings, double limit) {
  settings["limit"] = limit;
  return settings;
}

// What modbus_server.py lays out.
std::vector<PropertySpec> Properties() {
  return {
      {"target", "FLOAT", Holding(0, {{"type", "uint16"}, {"scale", 0.1}})},
      {"offset", "INT", Holding(1, {{"type", "int16"}})},
      {"speed", "FLOAT", Holding(2, {{"limit", 2.0}})},
      {"cdab", "INT", Holding(4, {{"type", "int32"}, {"byteOrder", "CDAB"}})},
      {"volume", "DOUBLE", Holding(6, {{"limit", 4.0}})},
      {"name", "STRING", Holding(10, {{"limit", 5.0}})},
      {"badc", "INT", Holding(16, {{"limit", 2.0}, {"isSwap", true}})},
      {"dcba", "INT", Holding(18, {{"type", "uint32"}, {"byteOrder", "DCBA"}})},
      {"total", "INT", Holding(20, {{"type", "uint64"}})},
      {"alarm", "BOOLEAN", Holding(26, {{"bit", 11.0}})},
      {"slave", "INT", Holding(50)},
      {"input", "INT", In("InputRegister", 0)},
      {"on", "BOOLEAN", In("CoilRegister", 1)},
      {"valves", "INT", WithLimit(In("CoilRegister", 0), 4)},
      {"door", "BOOLEAN", In("DiscreteInputRegister", 0)},
      {"broken", "FLOAT", Holding(24, {{"limit", 2.0}})},
      {"absent", "INT", Holding(100)},
      {"half_absent", "INT", Holding(99, {{"limit", 2.0}})},
  };
}

struct Device {
  DriverDevice device;
  std::unique_ptr<Connection> connection;

  const DriverProperty& Property(const std::string& name) const {
    for (const DriverProperty& each : device.properties) {
      if (each.model.name == name) return each;
    }
    return device.properties.front();
  }
  absl::StatusOr<std::string> Read(const std::string& property) const {
    return connection->Read(Property(property), kTimeout);
  }
  absl::Status Write(const std::string& property, const std::string& value) const {
    return connection->Write(Property(property), value, kTimeout);
  }
};

// With a server that may be killed and started.
class ModbusDriverTest : public ::testing::TestWithParam<bool> {
 protected:
  static bool serial() { return GetParam(); }

  void SetUp() override {
    if (serial()) {
      cable_.emplace();
      server_.emplace(cable_->far());
    } else {
      server_.emplace();
    }
  }

  Settings Protocol(double slave = 1) const {
    Settings settings = {{"slaveID", slave}, {"timeout", 2000.0}};
    if (serial()) {
      settings["serialPort"] = cable_->near();
    } else {
      settings["ip"] = "127.0.0.1";
      settings["port"] = static_cast<double>(server_->port());
    }
    return settings;
  }

  // A request is made once.
  Settings Hasty() const {
    Settings settings = Protocol();
    settings["retries"] = 0.0;
    return settings;
  }

  Device Open(const Settings& protocol) {
    Device device{PumpForDriver(protocol, Properties()), nullptr};
    EXPECT_THAT(driver_.Validate(device.device), IsOk());
    auto connection = driver_.Connect(device.device, kTimeout);
    EXPECT_THAT(connection, IsOk());
    if (connection.ok()) device.connection = *std::move(connection);
    return device;
  }

  SystemClock clock_;
  std::optional<SerialCable> cable_;
  std::optional<ModbusServer> server_;
  ModbusDriver driver_{clock_};
};

INSTANTIATE_TEST_SUITE_P(Lines, ModbusDriverTest, ::testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Rtu" : "Tcp"); });

TEST_P(ModbusDriverTest, ReadsEveryKindOfValue) {
  const Device pump = Open(Protocol());
  EXPECT_THAT(pump.connection->Check(kTimeout), IsOk());
  const std::pair<const char*, const char*> values[] = {
      {"target", "21.5"},    {"offset", "-5"},      {"speed", "21.5"},
      {"cdab", "-123456"},   {"volume", "-1.5"},    {"name", "pump-7"},
      {"badc", "305419896"}, {"dcba", "305419896"}, {"total", "9007199254740993"},
      {"alarm", "true"},     {"slave", "1"},        {"input", "4660"},
      {"on", "false"},       {"valves", "13"},      {"door", "true"},
  };
  for (const auto& [property, value] : values) {
    EXPECT_THAT(pump.Read(property), IsOkAndHolds(value)) << property;
  }
}

TEST_P(ModbusDriverTest, WritesWhatTheServerUnderstands) {
  const Device pump = Open(Protocol());
  const std::pair<const char*, const char*> values[] = {
      {"target", "30.5"}, {"offset", "-2"}, {"speed", "0.1"}, {"cdab", "305419896"},
      {"name", "ABC"},    {"dcba", "1"},    {"on", "true"},   {"valves", "6"},
  };
  for (const auto& [property, value] : values) {
    EXPECT_THAT(pump.Write(property, value), IsOk()) << property;
    EXPECT_THAT(pump.Read(property), IsOkAndHolds(value)) << property;
  }
  EXPECT_EQ(server_->Writes(),
            "1 6 0 305\n"
            "1 6 1 65534\n"
            "1 16 2 15820 52429\n"
            "1 16 4 22136 4660\n"
            "1 16 10 16706 17152 0 0 0\n"
            "1 16 18 256 0\n"
            "1 5 1 1\n"
            "1 15 0 0 1 1 0\n");
}

TEST_P(ModbusDriverTest, RefusesWhatCannotBeWritten) {
  const Device pump = Open(Protocol());
  for (const char* property : {"input", "door", "alarm"}) {
    EXPECT_THAT(pump.Write(property, "1"), HasReason("READ_ONLY")) << property;
  }
  EXPECT_THAT(pump.Write("target", "-1"), HasReason("VALUE_RANGE"));
  EXPECT_EQ(server_->Writes(), "");
}

TEST_P(ModbusDriverTest, ErrorsOfTheDeviceNameTheProperty) {
  const Device pump = Open(Protocol());
  const auto absent = pump.Read("absent");
  EXPECT_THAT(absent, StatusIsWith(absl::StatusCode::kInvalidArgument,
                                   AllOf(HasSubstr("property absent"),
                                         HasSubstr("HoldingRegister 100 of slave 1"),
                                         HasSubstr("check offset"))));
  EXPECT_THAT(absent, HasReason("MODBUS_ILLEGAL_DATA_ADDRESS"));
  EXPECT_THAT(pump.Read("half_absent"),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           HasSubstr("property half_absent at HoldingRegister 99 to 100")));
  EXPECT_THAT(pump.Write("absent", "1"), HasReason("MODBUS_ILLEGAL_DATA_ADDRESS"));
  EXPECT_THAT(pump.Read("broken"), StatusIsWith(absl::StatusCode::kOutOfRange,
                                                AllOf(HasSubstr("broken"), HasSubstr("nan"))));
  // The device is there all the same.
  EXPECT_THAT(pump.Read("offset"), IsOkAndHolds("-5"));
}

// A device whose first property is nowhere answers, so it is there.
TEST_P(ModbusDriverTest, AnErrorIsAnAnswerToACheck) {
  const DriverDevice device = PumpForDriver(Protocol(), {{"absent", "INT", Holding(100)}});
  const auto connection = driver_.Connect(device, kTimeout);
  ASSERT_THAT(connection, IsOk());
  EXPECT_THAT((*connection)->Check(kTimeout), IsOk());
  const DriverDevice empty = PumpForDriver(Protocol(2), {});
  const auto other = driver_.Connect(empty, kTimeout);
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT((*other)->Check(kTimeout), IsOk());
}

TEST_P(ModbusDriverTest, ASlaveThatIsNotThere) {
  Settings protocol = Protocol(3);
  protocol["timeout"] = 200.0;
  const Device nobody = Open(protocol);
  const auto lost = absl::StatusCode::kDeadlineExceeded;
  EXPECT_THAT(nobody.connection->Check(kTimeout),
              StatusIsWith(lost, AllOf(HasSubstr("slave 3"), HasSubstr("check slaveID"))));
  EXPECT_THAT(nobody.Read("offset"), StatusIsWith(lost, HasSubstr("property offset")));
  EXPECT_THAT(nobody.Write("offset", "1"), StatusIsWith(lost, HasSubstr("property offset")));
}

TEST_P(ModbusDriverTest, TheServerGoesAndComes) {
  const Device pump = Open(Hasty());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(pump.Read("offset"), IsOkAndHolds("-5"));
    server_->Kill();
    const absl::Status gone = pump.Read("offset").status();
    EXPECT_TRUE(absl::IsUnavailable(gone) || absl::IsDeadlineExceeded(gone)) << gone;
    server_->Start();
  }
  EXPECT_THAT(pump.Read("offset"), IsOkAndHolds("-5"));
}

// Nobody answers, and the connection stays: it ends in time, and is of use again later.
TEST_P(ModbusDriverTest, ADeviceThatHangsIsGivenUpInTime) {
  const Device pump = Open(Hasty());
  EXPECT_THAT(pump.Read("offset"), IsOkAndHolds("-5"));
  server_->process().Pause();
  const absl::Duration begin = clock_.Monotonic();
  EXPECT_THAT(pump.Read("slave"), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(clock_.Monotonic() - begin, kTimeout);
  server_->process().Continue();
  // What it answers late, the slave's number, is not taken for the offset.
  EXPECT_THAT(pump.Read("offset"), IsOkAndHolds("-5"));
}

TEST_P(ModbusDriverTest, DevicesShareALine) {
  const Device one = Open(Protocol(1));
  const Device two = Open(Protocol(2));
  const auto read = [](const Device& device, const char* slave) {
    for (int i = 0; i < 30; ++i) EXPECT_THAT(device.Read("slave"), IsOkAndHolds(slave));
  };
  std::thread first([&] { read(one, "1"); });
  std::thread second([&] { read(two, "2"); });
  first.join();
  second.join();
}

TEST_P(ModbusDriverTest, OneThatIsNotThereHoldsUpTheOthersByItsTimeoutOnly) {
  Settings protocol = Protocol(3);
  protocol["timeout"] = 100.0;
  const Device nobody = Open(protocol);
  const Device one = Open(Protocol(1));
  std::thread asking([&] {
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(nobody.connection->Check(kTimeout).ok());
  });
  for (int i = 0; i < 10; ++i) EXPECT_THAT(one.Read("slave"), IsOkAndHolds("1"));
  asking.join();
}

class ModbusSerialTest : public ModbusDriverTest {};

INSTANTIATE_TEST_SUITE_P(Lines, ModbusSerialTest, ::testing::Values(true));

TEST_P(ModbusSerialTest, AllOnALineHaveItsSettings) {
  const Device one = Open(Protocol(1));
  Settings faster = Protocol(2);
  faster["baudRate"] = 115200.0;
  const DriverDevice two = PumpForDriver(faster, Properties());
  const auto refused = driver_.Connect(two, kTimeout);
  EXPECT_THAT(refused, StatusIsWith(absl::StatusCode::kFailedPrecondition,
                                    AllOf(HasSubstr("at 19200 8N1"), HasSubstr("at 115200 8N1"))));
  EXPECT_THAT(refused, HasReason("BUS_SETTINGS"));
}

TEST_P(ModbusSerialTest, AnotherProcessHasThePort) {
  ModbusDriver other(clock_);
  const Device one = Open(Protocol(1));
  EXPECT_THAT(one.Read("slave"), IsOkAndHolds("1"));
  const DriverDevice device = PumpForDriver(Protocol(2), Properties());
  const auto second = other.Connect(device, kTimeout);
  ASSERT_THAT(second, IsOk());
  const absl::Status busy = (*second)->Check(kTimeout);
  EXPECT_THAT(busy, StatusIsWith(absl::StatusCode::kUnavailable, HasSubstr("busy")));
  EXPECT_THAT(busy, HasReason("MODBUS_CANNOT_OPEN"));
}

TEST_P(ModbusSerialTest, TheCableIsPulledAndPlugged) {
  {
    const Device one = Open(Protocol(1));
    EXPECT_THAT(one.Read("slave"), IsOkAndHolds("1"));
    cable_->Pull();
    EXPECT_THAT(one.Read("slave"), StatusIs(absl::StatusCode::kUnavailable));
    const DriverDevice device = PumpForDriver(Protocol(1), Properties());
    EXPECT_THAT(driver_.Connect(device, kTimeout), StatusIs(absl::StatusCode::kUnavailable));
  }
  server_->Kill();
  cable_->Plug();
  server_->Start();
  const Device again = Open(Protocol(1));
  EXPECT_THAT(again.Read("slave"), IsOkAndHolds("1"));
}

TEST(ModbusValidateTest, NamesTheProperty) {
  SystemClock clock;
  ModbusDriver driver(clock);
  const auto validate = [&](const Settings& protocol, const PropertySpec& property) {
    return driver.Validate(PumpForDriver(protocol, {property}));
  };
  const Settings tcp = {{"ip", "127.0.0.1"}};
  EXPECT_THAT(validate(tcp, {"speed", "INT", Holding(0)}), IsOk());
  EXPECT_THAT(validate({}, {"speed", "INT", Holding(0)}),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("communicateMode")));
  EXPECT_THAT(validate(tcp, {"speed", "INT", {}}),
              StatusIsWith(absl::StatusCode::kInvalidArgument,
                           HasSubstr("properties[speed].visitors.configData.register")));
  const auto gone = driver.Connect(
      PumpForDriver({{"serialPort", "/dev/no-such-port"}, {"slaveID", 1.0}}, {}), kTimeout);
  EXPECT_THAT(gone, StatusIsWith(absl::StatusCode::kUnavailable, HasSubstr("/dev/no-such-port")));
}

}  // namespace
}  // namespace skerry::mapper
