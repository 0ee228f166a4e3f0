#include "services/mappers/virtual/virtual_driver.h"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::mapper {
namespace {

absl::Status NoProperty(const DriverProperty& property) {
  return InvalidField("properties.name", property.model.name, "the virtual device has no such one");
}

class Thermometer final : public Connection {
 public:
  Thermometer(uint64_t seed, double set_point, double noise)
      : random_(seed), noise_(noise), target_(set_point), temperature_(set_point) {}

  absl::StatusOr<std::string> Read(const DriverProperty& property, absl::Duration) override {
    if (property.model.name == "target") return absl::StrFormat("%.2f", target_);
    if (property.model.name != "temperature") return NoProperty(property);
    // [-1, 1), the same with every standard library.
    const double waver = static_cast<double>(random_() >> 11) * 0x1p-52 - 1;
    temperature_ += (target_ - temperature_) / 10 + waver * noise_;
    return absl::StrFormat("%.2f", temperature_);
  }

  absl::Status Write(const DriverProperty& property, absl::string_view value,
                     absl::Duration) override {
    if (property.model.name == "temperature") {
      return Error(absl::StatusCode::kFailedPrecondition, "a temperature can only be read")
          .Reason("READ_ONLY")
          .Meta("property", property.model.name);
    }
    if (property.model.name != "target") return NoProperty(property);
    double target = 0;
    if (!absl::SimpleAtod(value, &target)) {
      return InvalidField(property.model.name, value, "give a number");
    }
    target_ = target;
    return absl::OkStatus();
  }

  absl::Status Check(absl::Duration) override { return absl::OkStatus(); }

 private:
  std::mt19937_64 random_;
  const double noise_;
  double target_;
  double temperature_;
};

class Switch final : public Connection {
 public:
  absl::StatusOr<std::string> Read(const DriverProperty& property, absl::Duration) override {
    if (property.model.name != "on") return NoProperty(property);
    return Text();
  }

  absl::Status Write(const DriverProperty& property, absl::string_view value,
                     absl::Duration) override {
    if (property.model.name != "on") return NoProperty(property);
    if (value != "true" && value != "false") {
      return InvalidField(property.model.name, value, "give true or false");
    }
    on_ = value == "true";
    return absl::OkStatus();
  }

  absl::Status Check(absl::Duration) override { return absl::OkStatus(); }

  absl::StatusOr<std::string> Call(absl::string_view method,
                                   const std::map<std::string, std::string>&,
                                   absl::Duration) override {
    if (method != "toggle") {
      return absl::UnimplementedError(absl::StrCat("a switch has toggle, and no ", method));
    }
    on_ = !on_;
    return Text();
  }

 private:
  std::string Text() const { return on_ ? "true" : "false"; }

  bool on_ = false;
};

absl::StatusOr<std::unique_ptr<Connection>> Make(const DriverDevice& device) {
  SKERRY_ASSIGN_OR_RETURN(const std::string kind, device.protocol.String("kind", ""));
  SKERRY_ASSIGN_OR_RETURN(const int64_t seed, device.protocol.Int("seed", 1));
  SKERRY_ASSIGN_OR_RETURN(const double set_point, device.protocol.Number("setPoint", 20));
  SKERRY_ASSIGN_OR_RETURN(const double noise, device.protocol.Number("noise", 0.2));
  if (kind == "thermometer") {
    return std::unique_ptr<Connection>(
        std::make_unique<Thermometer>(static_cast<uint64_t>(seed), set_point, noise));
  }
  if (kind == "switch") return std::unique_ptr<Connection>(std::make_unique<Switch>());
  return InvalidField("protocol.configData.kind", kind, "give thermometer or switch");
}

}  // namespace

absl::Status VirtualDriver::Validate(const DriverDevice& device) {
  SKERRY_RETURN_IF_ERROR(Make(device).status());
  SKERRY_ASSIGN_OR_RETURN(const std::string kind, device.protocol.String("kind", ""));
  const std::set<std::string> names = kind == "switch"
                                          ? std::set<std::string>{"on"}
                                          : std::set<std::string>{"temperature", "target"};
  for (const DriverProperty& property : device.properties) {
    if (names.count(property.model.name) == 0) return NoProperty(property);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> VirtualDriver::Connect(const DriverDevice& device,
                                                                   absl::Duration) {
  return Make(device);
}

}  // namespace skerry::mapper
