#include "services/mappers/lib/app.h"
#include "services/mappers/virtual/virtual_driver.h"

int main(int argc, char** argv) {
  skerry::mapper::VirtualDriver driver;
  return skerry::mapper::RunMapper(argc, argv, "virtual-mapper",
                                   "Thermometers and switches that are not there.", "virtual",
                                   driver);
}
