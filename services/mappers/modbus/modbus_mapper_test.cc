// The Modbus driver in a mapper, from an independent server as far as twin-svc.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/time/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"
#include "services/mappers/lib/mapper.h"
#include "services/mappers/lib/metrics.h"
#include "services/mappers/modbus/modbus_driver.h"
#include "services/mappers/modbus/testing/modbus_devices.h"
#include "services/mappers/modbus/testing/modbus_server.h"
#include "services/mappers/testing/fake_twin.h"

namespace skerry::mapper {
namespace {

using modbus::ModbusServer;
using modbus::PropertySpec;
using modbus::Settings;

class ModbusMapperTest : public ::testing::Test {
 protected:
  ~ModbusMapperTest() override {
    if (mapper_ != nullptr) mapper_->Stop();
  }

  void Start(const v1beta1::DeviceModel& model, const v1beta1::Device& device) {
    twin_.SetDevices({model}, {device});
    twin_.Start();
    auto mapper = Mapper::Create({.name = "modbus-mapper",
                                  .protocol = "modbus",
                                  .socket_path = dir_.File("mapper.sock"),
                                  .twin_address = "unix:" + dir_.File("dmi.sock")},
                                 driver_, clock_, metrics_, log::Logger::Null(), nullptr);
    ASSERT_TRUE(mapper.ok());
    mapper_ = *std::move(mapper);
    mapper_->Start();
  }

  bool Until(const std::function<bool(const FakeTwin::Seen&)>& good) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!twin_.Await(good, absl::Milliseconds(5)) && absl::Now() < deadline) {
      clock_.Advance(absl::Milliseconds(100));
    }
    return twin_.Await(good, absl::ZeroDuration());
  }

  skerry::testing::TempDir dir_;
  skerry::testing::FakeClock clock_;
  SystemClock real_clock_;
  metrics::Registry registry_{"test"};
  MapperMetrics metrics_{registry_};
  ModbusDriver driver_{real_clock_};
  FakeTwin twin_{"unix:" + dir_.File("dmi.sock")};
  ModbusServer server_;
  std::unique_ptr<Mapper> mapper_;
};

TEST_F(ModbusMapperTest, ReadsWritesAndComesBack) {
  const std::vector<PropertySpec> properties = {
      {"target",
       "FLOAT",
       {{"register", "HoldingRegister"}, {"offset", 0.0}, {"type", "uint16"}, {"scale", 0.1}}},
      {"absent", "INT", {{"register", "HoldingRegister"}, {"offset", 100.0}}},
  };
  v1beta1::Device device = modbus::Pump(
      "pump",
      {{"ip", "127.0.0.1"}, {"port", static_cast<double>(server_.port())}, {"timeout", 4000.0}},
      properties);
  device.mutable_spec()->mutable_properties(0)->mutable_desired()->set_value("30.5");
  Start(modbus::PumpModel(properties), device);

  const auto is = [](const std::string& state) {
    return [state](const FakeTwin::Seen& seen) { return seen.State("pump") == state; };
  };
  EXPECT_TRUE(Until(is("online")));
  EXPECT_TRUE(Until([](const FakeTwin::Seen& seen) {
    return seen.Reported("pump", "target") == "30.5" && seen.Observed("pump", "target") == "30.5";
  }));
  EXPECT_EQ(server_.Writes(), "1 6 0 305\n");
  // A property that the device does not have is its own trouble alone.
  EXPECT_EQ(twin_.seen().Reported("pump", "absent"), "");

  server_.Kill();
  EXPECT_TRUE(Until(is("offline")));
  server_.Start();
  EXPECT_TRUE(Until(is("online")));
  // The server's values begin anew, so what is desired is written again.
  EXPECT_TRUE(Until([this](const FakeTwin::Seen& seen) {
    return server_.Writes() == "1 6 0 305\n1 6 0 305\n" &&
           seen.Reported("pump", "target") == "30.5";
  }));
}

}  // namespace
}  // namespace skerry::mapper
