#include "services/mappers/testing/fake_driver.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::mapper {

class FakeDriver::FakeConnection final : public Connection {
 public:
  FakeConnection(FakeDriver& driver, std::string name) : driver_(driver), name_(std::move(name)) {}
  ~FakeConnection() override {
    absl::MutexLock lock(&driver_.mutex_);
    --driver_.devices_[name_].open;
  }

  absl::StatusOr<std::string> Read(const DriverProperty& property, absl::Duration) override {
    absl::MutexLock lock(&driver_.mutex_);
    Device& device = driver_.devices_[name_];
    ++device.reads;
    driver_.mutex_.Await(absl::Condition(
        +[](Device* d) { return !d->hangs; }, &device));
    if (!device.failure.ok()) return device.failure;
    return device.values[property.model.name];
  }

  absl::Status Write(const DriverProperty& property, absl::string_view value,
                     absl::Duration) override {
    absl::MutexLock lock(&driver_.mutex_);
    Device& device = driver_.devices_[name_];
    device.writes.push_back(absl::StrCat(property.model.name, "=", value));
    SKERRY_RETURN_IF_ERROR(device.failure);
    SKERRY_RETURN_IF_ERROR(device.write_failure);
    device.values[property.model.name] = std::string(value);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Call(absl::string_view method,
                                   const std::map<std::string, std::string>& arguments,
                                   absl::Duration) override {
    absl::MutexLock lock(&driver_.mutex_);
    Device& device = driver_.devices_[name_];
    std::string call(method);
    for (const auto& [name, value] : arguments) absl::StrAppend(&call, " ", name, "=", value);
    device.calls.push_back(call);
    driver_.mutex_.Await(absl::Condition(
        +[](Device* d) { return !d->hangs; }, &device));
    SKERRY_RETURN_IF_ERROR(device.failure);
    const auto known = device.methods.find(std::string(method));
    if (known == device.methods.end()) return absl::UnimplementedError("it has no such method");
    return known->second;
  }

  absl::Status Check(absl::Duration) override {
    absl::MutexLock lock(&driver_.mutex_);
    return driver_.devices_[name_].failure;
  }

 private:
  FakeDriver& driver_;
  const std::string name_;
};

void FakeDriver::Change(const std::string& name, const std::function<void(Device&)>& change) {
  absl::MutexLock lock(&mutex_);
  change(devices_[name]);
}

void FakeDriver::EndHangs() {
  absl::MutexLock lock(&mutex_);
  for (auto& [name, device] : devices_) device.hangs = false;
}

FakeDriver::Device FakeDriver::Get(const std::string& name) const {
  absl::MutexLock lock(&mutex_);
  return devices_[name];
}

bool FakeDriver::Await(const std::string& name, const std::function<bool(const Device&)>& good,
                       absl::Duration patience) const {
  absl::MutexLock lock(&mutex_);
  const auto holds = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return good(devices_[name]); };
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), patience);
}

absl::Status FakeDriver::Validate(const DriverDevice& device) {
  SKERRY_ASSIGN_OR_RETURN(const bool refuse, device.protocol.Bool("refuse", false));
  if (refuse) return InvalidField("protocol.configData.refuse", "true", "leave it out");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> FakeDriver::Connect(const DriverDevice& device,
                                                                absl::Duration) {
  const std::string name = device.name.name();
  absl::MutexLock lock(&mutex_);
  Device& known = devices_[name];
  ++known.connects;
  SKERRY_RETURN_IF_ERROR(known.failure);
  ++known.open;
  return std::unique_ptr<Connection>(std::make_unique<FakeConnection>(*this, name));
}

}  // namespace skerry::mapper
