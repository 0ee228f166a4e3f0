// An open connection or serial port, by libmodbus.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_PORT_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_PORT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/mappers/modbus/core/endpoint.h"
#include "services/mappers/modbus/core/point.h"

namespace skerry::mapper::modbus {

// One thread at a time. Read and Write return 0 or an errno, one of libmodbus's included, and end
// by `timeout` whatever the device sends.
class Port {
 public:
  // UNAVAILABLE with the system's reason, also where another process has the serial port.
  // RESOURCE_EXHAUSTED where the process has more open files than libmodbus can wait for.
  static absl::StatusOr<std::unique_ptr<Port>> Open(const Line& line, absl::Duration patience);
  ~Port();

  // `words` is as long as the point's registers or bits afterwards.
  int Read(int slave, const Point& point, absl::Duration timeout, std::vector<uint16_t>& words);
  int Write(int slave, const Point& point, absl::Duration timeout, std::span<const uint16_t> words);

 private:
  struct Context;  // Of libmodbus.
  Port(std::unique_ptr<Context> context, bool serial);
  int Prepare(int slave, absl::Duration timeout);

  std::unique_ptr<Context> context_;
  const bool serial_;
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_PORT_H_
