// A mapper of protocol "fake" between FakeTwin and FakeDriver, with time that the test moves.
#ifndef SKERRY_SERVICES_MAPPERS_TESTING_MAPPER_FIXTURE_H_
#define SKERRY_SERVICES_MAPPERS_TESTING_MAPPER_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"
#include "services/mappers/lib/app.h"
#include "services/mappers/lib/config.h"
#include "services/mappers/testing/devices.h"
#include "services/mappers/testing/fake_driver.h"
#include "services/mappers/testing/fake_twin.h"

namespace skerry::mapper {

// Model plant/sensor has temperature (FLOAT, read only) and target (FLOAT, writable).
class MapperFixture : public ::testing::Test {
 protected:
  MapperFixture() : twin_("unix:" + dir_.File("dmi.sock")), model_(MakeModel("sensor")) {
    AddProperty(model_, "temperature", "FLOAT", false);
    AddProperty(model_, "target", "FLOAT", true);
    config_.name = "fake-mapper";
    config_.protocol = "fake";
    config_.run_dir = dir_.path();
  }

  ~MapperFixture() override {
    driver_.EndHangs();
    if (app_ != nullptr) app_->Stop();
  }

  void StartMapper() {
    app_ = std::make_unique<MapperApp>(config_, driver_, clock_, log::Logger::Null());
    ASSERT_TRUE(app_->Start().ok());
    auto channel = rpc::MakeChannel({.target = app_->addresses().at("api")});
    ASSERT_TRUE(channel.ok());
    stub_ = v1beta1::DeviceMapperService::NewStub(*channel);
  }

  v1beta1::Device Sensor(const std::string& name) { return MakeDevice(name, "sensor", "fake"); }

  // Moves time on until it holds; false after half a minute of the real one.
  bool UntilTwin(const std::function<bool(const FakeTwin::Seen&)>& good) {
    return Until([&] { return twin_.Await(good, absl::Milliseconds(5)); });
  }
  bool UntilDevice(const std::string& name,
                   const std::function<bool(const FakeDriver::Device&)>& good) {
    return Until([&] { return driver_.Await(name, good, absl::Milliseconds(5)); });
  }
  bool UntilReported(const std::string& device, const std::string& property,
                     const std::string& value) {
    return UntilTwin(
        [&](const FakeTwin::Seen& seen) { return seen.Reported(device, property) == value; });
  }
  // So many further readings of the device.
  bool UntilReads(const std::string& name, int more) {
    const int reads = driver_.Get(name).reads + more;
    return UntilDevice(name, [&](const FakeDriver::Device& d) { return d.reads >= reads; });
  }
  void SetValue(const std::string& device, const std::string& property, const std::string& value) {
    driver_.Change(device, [&](FakeDriver::Device& d) { d.values[property] = value; });
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1beta1::DeviceMapperService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&,
                                                                               Response*),
                    const Request& request, Response* response = nullptr) {
    Response ignored;
    return rpc::CallUnary(absl::Seconds(10), [&](grpc::ClientContext* context) {
      return (stub_.get()->*method)(context, request, response == nullptr ? &ignored : response);
    });
  }
  absl::Status RegisterDevice(const v1beta1::Device& device) {
    v1beta1::RegisterDeviceRequest request;
    *request.mutable_device() = device;
    return Call(&v1beta1::DeviceMapperService::Stub::RegisterDevice, request);
  }
  absl::Status UpdateDevice(const v1beta1::Device& device) {
    v1beta1::UpdateDeviceRequest request;
    *request.mutable_device() = device;
    return Call(&v1beta1::DeviceMapperService::Stub::UpdateDevice, request);
  }
  absl::Status RemoveDevice(const std::string& name) {
    v1beta1::RemoveDeviceRequest request;
    request.set_devicename(name);
    request.set_devicenamespace("plant");
    return Call(&v1beta1::DeviceMapperService::Stub::RemoveDevice, request);
  }

  skerry::testing::TempDir dir_;
  skerry::testing::FakeClock clock_;
  FakeDriver driver_;
  FakeTwin twin_;
  MapperConfig config_;
  v1beta1::DeviceModel model_;
  std::unique_ptr<MapperApp> app_;
  std::unique_ptr<v1beta1::DeviceMapperService::Stub> stub_;

 private:
  bool Until(const std::function<bool()>& done) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!done()) {
      if (absl::Now() > deadline) return false;
      clock_.Advance(absl::Milliseconds(100));
    }
    return true;
  }
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_TESTING_MAPPER_FIXTURE_H_
