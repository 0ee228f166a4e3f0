// The virtual driver in a mapper, as far as twin-svc.
#include <gtest/gtest.h>

#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/names.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"
#include "services/mappers/lib/mapper.h"
#include "services/mappers/lib/metrics.h"
#include "services/mappers/testing/devices.h"
#include "services/mappers/testing/fake_twin.h"
#include "services/mappers/virtual/virtual_driver.h"

namespace skerry::mapper {
namespace {

TEST(VirtualMapperTest, ASwitchIsSetAndToggled) {
  skerry::testing::TempDir dir;
  skerry::testing::FakeClock clock;
  metrics::Registry registry("test");
  MapperMetrics metrics(registry);
  VirtualDriver driver;
  FakeTwin twin("unix:" + dir.File("dmi.sock"));
  v1beta1::DeviceModel model = MakeModel("switch");
  AddProperty(model, "on", "BOOLEAN", true);
  v1beta1::Device device = MakeDevice("lamp", "switch", "virtual");
  SetText(*device.mutable_spec()->mutable_protocol()->mutable_configdata(), "kind", "switch");
  AddProperty(device, "on", 1000, 1000, "true");
  twin.SetDevices({model}, {device});
  twin.Start();
  const auto mapper = Mapper::Create({.name = "virtual-mapper",
                                      .protocol = "virtual",
                                      .socket_path = dir.File("mapper.sock"),
                                      .twin_address = "unix:" + dir.File("dmi.sock")},
                                     driver, clock, metrics, log::Logger::Null(), nullptr);
  ASSERT_TRUE(mapper.ok());
  (*mapper)->Start();
  const auto until = [&](const std::string& on) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    const auto good = [&](const FakeTwin::Seen& seen) {
      return seen.Observed("lamp", "on") == "true" && seen.Reported("lamp", "on") == on;
    };
    while (!twin.Await(good, absl::Milliseconds(5)) && absl::Now() < deadline) {
      clock.Advance(absl::Milliseconds(100));
    }
    return twin.Await(good, absl::ZeroDuration());
  };
  ASSERT_TRUE(until("true"));

  absl::StatusOr<std::string> answer = absl::UnknownError("");
  absl::Notification called;
  const DeviceName lamp = *DeviceName::Parse("plant/lamp");
  (*mapper)->Call(lamp, "toggle", {}, absl::Seconds(30), [&](absl::StatusOr<std::string> result) {
    answer = std::move(result);
    called.Notify();
  });
  ASSERT_TRUE(called.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_EQ(answer.value(), "false");
  // Read anew and reported; what was desired is not written once more.
  EXPECT_TRUE(until("false"));
  absl::Notification refused;
  (*mapper)->Call(*DeviceName::Parse("plant/lamb"), "toggle", {}, absl::Seconds(30),
                  [&](absl::StatusOr<std::string> result) {
                    EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
                    refused.Notify();
                  });
  EXPECT_TRUE(refused.WaitForNotificationWithTimeout(absl::Seconds(30)));
  (*mapper)->Stop();
}

}  // namespace
}  // namespace skerry::mapper
