#include "services/mappers/modbus/core/endpoint.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::mapper::modbus {
namespace {

constexpr int kPortDefault = 502;
constexpr int kBaudDefault = 19200;
constexpr int kSlaveMax = 247;
constexpr int kSlaveAny = 255;  // Of a TCP device that is no gateway.
constexpr int kTimeoutDefaultMs = 1000;
constexpr int kTimeoutMinMs = 10;
constexpr int kRetriesMax = 10;
constexpr int kSerialRetriesDefault = 2;
constexpr size_t kPathMax = 255;
// libmodbus takes any other for 9600, and says nothing.
constexpr int64_t kBaudRates[] = {110,    300,    600,     1200,    2400,    4800,    9600,
                                  19200,  38400,  57600,   115200,  230400,  460800,  500000,
                                  576000, 921600, 1000000, 1152000, 1500000, 2500000, 3000000};

Error Bad(absl::string_view name, absl::string_view value, absl::string_view fix) {
  return InvalidField(absl::StrCat("protocol.configData.", name), value, fix);
}

absl::StatusOr<int> Whole(absl::string_view name, const std::optional<int64_t>& given,
                          int64_t otherwise, int64_t min, int64_t max) {
  const int64_t value = given.value_or(otherwise);
  if (value >= min && value <= max) return static_cast<int>(value);
  return Bad(name, absl::StrCat(value), absl::StrCat("give ", min, " to ", max));
}

absl::StatusOr<bool> IsSerial(const EndpointSettings& settings) {
  if (!settings.communicate_mode.has_value()) {
    if (settings.ip.has_value() == settings.serial_port.has_value()) {
      return Bad("communicateMode", "",
                 "give TCP with ip, or RTU with serialPort; with one of these two it may be left "
                 "out");
    }
    return settings.serial_port.has_value();
  }
  const std::string& mode = *settings.communicate_mode;
  if (absl::EqualsIgnoreCase(mode, "RTU")) return true;
  if (absl::EqualsIgnoreCase(mode, "TCP")) return false;
  return Bad("communicateMode", mode, "give TCP or RTU");
}

absl::StatusOr<Line> TcpLine(const EndpointSettings& settings) {
  Line line{.ip = settings.ip.value_or("")};
  if (line.ip.empty()) return Bad("ip", line.ip, "give an IPv4 or IPv6 address");
  SKERRY_ASSIGN_OR_RETURN(line.port, Whole("port", settings.port, kPortDefault, 1, 65535));
  return line;
}

absl::StatusOr<char> Parity(const std::string& text) {
  for (const auto& [name, letter] : {std::pair("none", 'N'), {"even", 'E'}, {"odd", 'O'}}) {
    if (absl::EqualsIgnoreCase(text, name) ||
        absl::EqualsIgnoreCase(text, absl::string_view(&letter, 1))) {
      return letter;
    }
  }
  return Bad("parity", text, "give none, even or odd");
}

absl::StatusOr<Line> SerialLine(const EndpointSettings& settings) {
  Line line{.serial = true, .path = settings.serial_port.value_or("")};
  if (!absl::StartsWith(line.path, "/") || line.path.size() > kPathMax ||
      line.path.find('\0') != std::string::npos) {
    return Bad("serialPort", line.path, "give an absolute path, as /dev/ttyUSB0");
  }
  const int64_t baud = settings.baud_rate.value_or(kBaudDefault);
  if (std::find(std::begin(kBaudRates), std::end(kBaudRates), baud) == std::end(kBaudRates)) {
    return Bad("baudRate", absl::StrCat(baud), "give a usual rate, as 9600, 19200 or 115200");
  }
  line.baud_rate = static_cast<int>(baud);
  SKERRY_ASSIGN_OR_RETURN(line.parity, Parity(settings.parity.value_or("none")));
  SKERRY_ASSIGN_OR_RETURN(line.stop_bits, Whole("stopBits", settings.stop_bits, 1, 1, 2));
  if (settings.data_bits.value_or(8) != 8) {
    return Bad("dataBits", absl::StrCat(*settings.data_bits), "give 8: RTU has no other");
  }
  return line;
}

}  // namespace

absl::StatusOr<Endpoint> MakeEndpoint(const EndpointSettings& settings) {
  Endpoint endpoint;
  SKERRY_ASSIGN_OR_RETURN(const bool serial, IsSerial(settings));
  SKERRY_ASSIGN_OR_RETURN(endpoint.line, serial ? SerialLine(settings) : TcpLine(settings));
  if (serial) {
    if (!settings.slave_id.has_value()) {
      return Bad("slaveID", "", "give that of the device, 1 to 247");
    }
    SKERRY_ASSIGN_OR_RETURN(endpoint.slave, Whole("slaveID", settings.slave_id, 0, 1, kSlaveMax));
  } else if (settings.slave_id == kSlaveAny) {
    endpoint.slave = kSlaveAny;
  } else {
    SKERRY_ASSIGN_OR_RETURN(endpoint.slave, Whole("slaveID", settings.slave_id, 1, 0, kSlaveMax));
  }
  SKERRY_ASSIGN_OR_RETURN(const int timeout_ms,
                          Whole("timeout", settings.timeout, kTimeoutDefaultMs, kTimeoutMinMs,
                                absl::ToInt64Milliseconds(kRequestTimeoutMax)));
  endpoint.timeout = absl::Milliseconds(timeout_ms);
  SKERRY_ASSIGN_OR_RETURN(
      endpoint.retries,
      Whole("retries", settings.retries, serial ? kSerialRetriesDefault : 0, 0, kRetriesMax));
  if (!serial && endpoint.retries != 0) {
    return Bad("retries", absl::StrCat(endpoint.retries),
               "leave it out with TCP, which repeats by itself what was lost");
  }
  return endpoint;
}

std::string KeyOf(const Line& line) {
  return line.serial ? line.path : absl::StrCat(line.ip, " ", line.port);
}

std::string NameOf(const Line& line) {
  if (!line.serial) return absl::StrCat(line.ip, " port ", line.port);
  return absl::StrCat(line.path, " at ", line.baud_rate, " 8", absl::string_view(&line.parity, 1),
                      line.stop_bits);
}

absl::Duration SilenceOf(const Line& line) {
  if (!line.serial) return absl::ZeroDuration();
  if (line.baud_rate > 19200) return absl::Microseconds(1750);
  const int bits = 9 + (line.parity == 'N' ? 0 : 1) + line.stop_bits;
  return absl::Seconds(3.5 * bits / line.baud_rate);
}

}  // namespace skerry::mapper::modbus
