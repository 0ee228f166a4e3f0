#include "services/mappers/lib/device_lane.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/device/value_rules.h"

namespace skerry::mapper {
namespace {

constexpr int kCallsMax = 8;  // Of methods of a device, that wait.

const DriverProperty* Find(const DriverDevice& device, const std::string& name) {
  for (const DriverProperty& property : device.properties) {
    if (property.model.name == name) return &property;
  }
  return nullptr;
}

absl::Status StatusOf(const std::exception& exception) {
  return absl::InternalError(absl::StrCat("the driver has thrown: ", exception.what()));
}

absl::Status NoProperty(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("the device has no property ", name, " any more"));
}

}  // namespace

DeviceLane::DeviceLane(const std::string& name, Driver& driver, absl::Duration timeout)
    : driver_(driver), timeout_(timeout), thread_(name, clock_) {}

DeviceLane::~DeviceLane() { Stop(); }

absl::StatusOr<std::string> DeviceLane::Guarded(
    absl::AnyInvocable<absl::StatusOr<std::string>(Connection&)> work) {
  if (connection_ == nullptr) return absl::UnavailableError("the device is not connected");
  try {
    return work(*connection_);
  } catch (const std::exception& exception) {
    return StatusOf(exception);
  }
}

void DeviceLane::Connect(std::shared_ptr<const DriverDevice> device, Done done) {
  thread_.Post([this, device = std::move(device), done = std::move(done)]() mutable {
    connection_.reset();
    if (closed_) return done(absl::CancelledError("the device is removed"));
    absl::StatusOr<std::unique_ptr<Connection>> made = absl::UnknownError("");
    try {
      made = driver_.Connect(*device, timeout_);
    } catch (const std::exception& exception) {
      made = StatusOf(exception);
    }
    if (made.ok()) {
      connected_ = std::move(device);
      connection_ = *std::move(made);
    }
    done(made.status());
  });
}

void DeviceLane::Read(std::shared_ptr<const DriverDevice> device, std::string property,
                      ValueDone done) {
  thread_.Post([this, device = std::move(device), property = std::move(property),
                done = std::move(done)]() mutable {
    const DriverProperty* found = Find(*device, property);
    if (found == nullptr) return done(NoProperty(property));
    absl::StatusOr<std::string> value =
        Guarded([&](Connection& connection) { return connection.Read(*found, timeout_); });
    if (value.ok() && value->size() > device::kValueBytesMax) {
      value = Error(absl::StatusCode::kInvalidArgument, "the device's value is too large")
                  .Reason("VALUE_TOO_LARGE")
                  .Meta("property", property);
    }
    done(std::move(value));
  });
}

void DeviceLane::Write(std::shared_ptr<const DriverDevice> device, std::string property,
                       std::string value, Done done) {
  thread_.Post([this, device = std::move(device), property = std::move(property),
                value = std::move(value), done = std::move(done)]() mutable {
    const DriverProperty* found = Find(*device, property);
    if (found == nullptr) return done(NoProperty(property));
    done(Guarded([&](Connection& connection) -> absl::StatusOr<std::string> {
           const absl::Status status = connection.Write(*found, value, timeout_);
           if (!status.ok()) return status;
           return std::string();
         }).status());
  });
}

void DeviceLane::Check(Done done) {
  thread_.Post([this, done = std::move(done)]() mutable {
    done(Guarded([&](Connection& connection) -> absl::StatusOr<std::string> {
           const absl::Status status = connection.Check(timeout_);
           if (!status.ok()) return status;
           return std::string();
         }).status());
  });
}

void DeviceLane::Call(std::string method, std::map<std::string, std::string> arguments,
                      absl::Duration patience, ValueDone done) {
  if (calls_.fetch_add(1) >= kCallsMax) {
    calls_.fetch_sub(1);
    return done(Error(absl::StatusCode::kResourceExhausted, "too many calls of the device wait")
                    .Reason("DEVICE_BUSY")
                    .Meta("method", method));
  }
  thread_.Post([this, method = std::move(method), arguments = std::move(arguments),
                end = clock_.Monotonic() + patience, done = std::move(done)]() mutable {
    calls_.fetch_sub(1);
    const absl::Duration left = end - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      return done(Error(absl::StatusCode::kDeadlineExceeded,
                        "the device was busy until the call's time was over; it was not called")
                      .Reason("DEVICE_BUSY")
                      .Meta("method", method));
    }
    done(Guarded([&](Connection& connection) {
      return connection.Call(method, arguments, std::min(left, timeout_));
    }));
  });
}

void DeviceLane::Close() {
  if (closed_.exchange(true)) return;
  thread_.Post([this] {
    connection_.reset();
    connected_.reset();
  });
}

void DeviceLane::Stop() {
  Close();
  thread_.Stop();
}

}  // namespace skerry::mapper
