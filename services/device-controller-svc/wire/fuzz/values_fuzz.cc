// Any bytes as a box's report of a twin and as its readings.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/device-controller-svc/wire/twin_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  auto twin = skerry::devicecontroller::ReadTwinReport("ns/a", bytes);
  if (twin.ok()) skerry::devicecontroller::AddTypes({{"x", "int"}}, twin->status);
  skerry::devicecontroller::ReadReadings("ns/a", bytes).IgnoreError();
  return 0;
}
