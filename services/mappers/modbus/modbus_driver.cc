#include "services/mappers/modbus/modbus_driver.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/mappers/modbus/core/point.h"
#include "services/mappers/modbus/core/point_value.h"
#include "services/mappers/modbus/modbus_errors.h"
#include "services/mappers/modbus/settings.h"

namespace skerry::mapper {
namespace {

using modbus::BusTable;
using modbus::Endpoint;
using modbus::Point;
using modbus::Port;

// By whichever name a port is known, it is one line.
absl::Status Resolve(std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (!error && !std::filesystem::is_character_file(real, error)) {
    error = std::make_error_code(std::errc::not_a_stream);
  }
  if (error) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("no serial port ", path, ": ", error.message()))
        .Reason("MODBUS_CANNOT_OPEN")
        .Meta("line", path);
  }
  path = real.string();
  return absl::OkStatus();
}

class ModbusConnection final : public Connection {
 public:
  ModbusConnection(Endpoint endpoint, std::unique_ptr<BusTable::Member> member, Point probe)
      : endpoint_(std::move(endpoint)), member_(std::move(member)), probe_(std::move(probe)) {}

  absl::StatusOr<std::string> Read(const DriverProperty& property,
                                   absl::Duration timeout) override {
    SKERRY_ASSIGN_OR_RETURN(const Point point, modbus::PointOf(property));
    std::vector<uint16_t> words;
    SKERRY_ASSIGN_OR_RETURN(
        const int error, Run(timeout, endpoint_.retries, [&](Port& port, absl::Duration patience) {
          return port.Read(endpoint_.slave, point, patience, words);
        }));
    SKERRY_RETURN_IF_ERROR(StatusOf(error, point));
    return modbus::Decode(point, words);
  }

  absl::Status Write(const DriverProperty& property, absl::string_view value,
                     absl::Duration timeout) override {
    SKERRY_ASSIGN_OR_RETURN(const Point point, modbus::PointOf(property));
    SKERRY_RETURN_IF_ERROR(modbus::CheckWritable(point));
    SKERRY_ASSIGN_OR_RETURN(const std::vector<uint16_t> words, modbus::Encode(point, value));
    SKERRY_ASSIGN_OR_RETURN(
        const int error, Run(timeout, endpoint_.retries, [&](Port& port, absl::Duration patience) {
          return port.Write(endpoint_.slave, point, patience, words);
        }));
    return StatusOf(error, point);
  }

  // Without retries: on a line, those who are not there must not hold up those who are.
  absl::Status Check(absl::Duration timeout) override {
    std::vector<uint16_t> words;
    const absl::StatusOr<int> error = Run(timeout, 0, [&](Port& port, absl::Duration patience) {
      return port.Read(endpoint_.slave, probe_, patience, words);
    });
    if (!error.ok()) {
      // Also where the line was busy: nobody knows whether the device is there.
      absl::Status lost = absl::UnavailableError(error.status().message());
      SetErrorInfo(lost, GetErrorInfo(error.status()));
      return lost;
    }
    const absl::Status status = StatusOf(*error, probe_);
    if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return status;
    return absl::OkStatus();  // An error is an answer, too.
  }

 private:
  absl::StatusOr<int> Run(absl::Duration timeout, int retries, modbus::Bus::Request request) {
    return member_->bus().Run({.slave = endpoint_.slave,
                               .patience = timeout,
                               .timeout = endpoint_.timeout,
                               .retries = retries},
                              request);
  }

  absl::Status StatusOf(int error, const Point& point) const {
    if (error == 0) return absl::OkStatus();
    return modbus::StatusOf(error, point.property,
                            absl::StrCat(modbus::PlaceOf(point), " of slave ", endpoint_.slave,
                                         ", ", modbus::NameOf(member_->bus().line())));
  }

  const Endpoint endpoint_;
  const std::unique_ptr<BusTable::Member> member_;
  const Point probe_;
};

}  // namespace

absl::Status ModbusDriver::Validate(const DriverDevice& device) {
  SKERRY_RETURN_IF_ERROR(modbus::EndpointOf(device.protocol).status());
  for (const DriverProperty& property : device.properties) {
    SKERRY_RETURN_IF_ERROR(modbus::PointOf(property).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> ModbusDriver::Connect(const DriverDevice& device,
                                                                  absl::Duration) {
  SKERRY_ASSIGN_OR_RETURN(Endpoint endpoint, modbus::EndpointOf(device.protocol));
  if (endpoint.line.serial) SKERRY_RETURN_IF_ERROR(Resolve(endpoint.line.path));
  // Where there is no property, any register: a device answers that it has none.
  Point probe{.property = "(none)"};
  if (!device.properties.empty()) {
    SKERRY_ASSIGN_OR_RETURN(probe, modbus::PointOf(device.properties.front()));
  }
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<BusTable::Member> member, buses_.Join(endpoint.line));
  return std::unique_ptr<Connection>(
      std::make_unique<ModbusConnection>(std::move(endpoint), std::move(member), std::move(probe)));
}

}  // namespace skerry::mapper
