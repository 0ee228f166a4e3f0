#include "services/lib/base/clock.h"
#include "services/mappers/lib/app.h"
#include "services/mappers/modbus/modbus_driver.h"

int main(int argc, char** argv) {
  skerry::SystemClock clock;
  skerry::mapper::ModbusDriver driver(clock);
  return skerry::mapper::RunMapper(argc, argv, "modbus-mapper",
                                   "Devices that speak Modbus, over TCP or on a serial line.",
                                   "modbus", driver);
}
