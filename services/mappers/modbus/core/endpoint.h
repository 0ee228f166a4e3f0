// Where a device is: the line that it shares with others, and its own place there.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_CORE_ENDPOINT_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_CORE_ENDPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::mapper::modbus {

// As protocol.configData has them; what is not given is nullopt.
struct EndpointSettings {
  std::optional<std::string> communicate_mode;
  std::optional<std::string> ip;
  std::optional<int64_t> port;
  std::optional<std::string> serial_port;
  std::optional<int64_t> baud_rate;
  std::optional<int64_t> data_bits;
  std::optional<std::string> parity;
  std::optional<int64_t> stop_bits;
  std::optional<int64_t> slave_id;
  std::optional<int64_t> timeout;  // Milliseconds.
  std::optional<int64_t> retries;
};

// One at a time speaks on a line.
struct Line {
  bool serial = false;
  std::string ip;  // TCP.
  int port = 0;
  std::string path;  // RTU.
  int baud_rate = 0;
  char parity = 'N';  // N, E or O.
  int stop_bits = 1;

  bool operator==(const Line&) const = default;
};

struct Endpoint {
  Line line;
  int slave = 0;
  absl::Duration timeout;  // Of one request.
  int retries = 0;         // Of a request that was not answered, or not readably.
};

// The longest timeout of a request: a call of the driver has 5 s, and others wait for the line.
constexpr absl::Duration kRequestTimeoutMax = absl::Seconds(4);

// INVALID_ARGUMENT names the setting, its value and what it may be. Whether `ip` is an address is
// not looked at.
absl::StatusOr<Endpoint> MakeEndpoint(const EndpointSettings& settings);

// Devices with the same key share a line, or differ in its settings, which is an error.
std::string KeyOf(const Line& line);
// As people read it: "10.0.0.7 port 502", "/dev/ttyUSB0 at 9600 8N1".
std::string NameOf(const Line& line);

// Of silence before each request, so that slaves see where it begins (3.5 characters); 0 with TCP.
absl::Duration SilenceOf(const Line& line);

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_CORE_ENDPOINT_H_
