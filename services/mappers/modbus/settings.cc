#include "services/mappers/modbus/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/value_rules.h"

namespace skerry::mapper::modbus {
namespace {

// Leaves `out` empty where the setting is not given.
class Taker {
 public:
  explicit Taker(const ConfigData& data) : data_(data) {}

  Taker& Text(absl::string_view name, std::optional<std::string>& out) {
    return Take(name, out, [&] { return data_.String(name, ""); });
  }
  Taker& Whole(absl::string_view name, std::optional<int64_t>& out) {
    return Take(name, out, [&] { return data_.Int(name, 0); });
  }
  Taker& Number(absl::string_view name, std::optional<double>& out) {
    return Take(name, out, [&] { return data_.Number(name, 0); });
  }
  Taker& Flag(absl::string_view name, std::optional<bool>& out) {
    return Take(name, out, [&] { return data_.Bool(name, false); });
  }
  // The first that was wrong.
  const absl::Status& status() const { return status_; }

 private:
  template <typename Out, typename Get>
  Taker& Take(absl::string_view name, Out& out, Get get) {
    if (!status_.ok() || !data_.Has(name)) return *this;
    auto value = get();
    status_ = value.status();
    if (value.ok()) out = *std::move(value);
    return *this;
  }

  const ConfigData& data_;
  absl::Status status_;
};

bool IsAddress(const std::string& text) {
  in6_addr ignored;  // Has room for both.
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

absl::StatusOr<TextForm> FormOf(const device::PropertyModel& model) {
  switch (model.type) {
    case device::ValueType::kInt:
      return TextForm::kInt;
    case device::ValueType::kFloat:
      return TextForm::kFloat;
    case device::ValueType::kDouble:
      return TextForm::kDouble;
    case device::ValueType::kBoolean:
      return TextForm::kBoolean;
    case device::ValueType::kString:
      return TextForm::kString;
    case device::ValueType::kBytes:
      return TextForm::kBytes;
    case device::ValueType::kStream:
      break;
  }
  return InvalidField(absl::StrCat("properties[", model.name, "].type"), device::NameOf(model.type),
                      "give INT, FLOAT, DOUBLE, STRING, BOOLEAN or BYTES in the device model");
}

}  // namespace

absl::StatusOr<Endpoint> EndpointOf(const ConfigData& protocol) {
  EndpointSettings settings;
  SKERRY_RETURN_IF_ERROR(Taker(protocol)
                             .Text("communicateMode", settings.communicate_mode)
                             .Text("ip", settings.ip)
                             .Whole("port", settings.port)
                             .Text("serialPort", settings.serial_port)
                             .Whole("baudRate", settings.baud_rate)
                             .Whole("dataBits", settings.data_bits)
                             .Text("parity", settings.parity)
                             .Whole("stopBits", settings.stop_bits)
                             .Whole("slaveID", settings.slave_id)
                             .Whole("timeout", settings.timeout)
                             .Whole("retries", settings.retries)
                             .status());
  SKERRY_ASSIGN_OR_RETURN(Endpoint endpoint, MakeEndpoint(settings));
  // A look-up of a name could take longer than a driver may.
  if (!endpoint.line.serial && !IsAddress(endpoint.line.ip)) {
    return InvalidField("protocol.configData.ip", endpoint.line.ip,
                        "give an IPv4 or IPv6 address; names are not looked up");
  }
  return endpoint;
}

absl::StatusOr<Point> PointOf(const DriverProperty& property) {
  PointSettings settings{.property = property.model.name};
  SKERRY_ASSIGN_OR_RETURN(settings.form, FormOf(property.model));
  SKERRY_RETURN_IF_ERROR(Taker(property.visitor)
                             .Text("register", settings.table)
                             .Whole("offset", settings.offset)
                             .Whole("limit", settings.limit)
                             .Text("type", settings.type)
                             .Text("byteOrder", settings.byte_order)
                             .Flag("isSwap", settings.is_swap)
                             .Flag("isRegisterSwap", settings.is_register_swap)
                             .Number("scale", settings.scale)
                             .Whole("bit", settings.bit)
                             .status());
  return MakePoint(settings);
}

}  // namespace skerry::mapper::modbus
