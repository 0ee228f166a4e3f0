#include "services/mappers/modbus/bus_table.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::mapper::modbus {
namespace {

using skerry::testing::HasReason;

const Line kTcp = {.ip = "127.0.0.1", .port = 502};
const Line kSerial = {.serial = true, .path = "/dev/ttyS0", .baud_rate = 9600};

TEST(BusTableTest, TheSameLineIsTheSameBus) {
  SystemClock clock;
  BusTable table(clock);
  const auto one = table.Join(kTcp).value();
  const auto two = table.Join(kTcp).value();
  const auto other = table.Join(kSerial).value();
  EXPECT_EQ(&one->bus(), &two->bus());
  EXPECT_NE(&one->bus(), &other->bus());
}

TEST(BusTableTest, OtherSettingsWaitUntilTheLastOneHasLeft) {
  SystemClock clock;
  BusTable table(clock);
  Line faster = kSerial;
  faster.baud_rate = 19200;
  auto one = table.Join(kSerial).value();
  auto two = table.Join(kSerial).value();
  EXPECT_THAT(table.Join(faster), HasReason("BUS_SETTINGS"));
  one.reset();
  EXPECT_THAT(table.Join(faster), HasReason("BUS_SETTINGS"));
  two.reset();
  EXPECT_EQ(table.Join(faster).value()->bus().line(), faster);
}

}  // namespace
}  // namespace skerry::mapper::modbus
