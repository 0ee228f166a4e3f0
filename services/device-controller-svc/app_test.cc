// The whole service, with the real standalone-api-svc and a hub in this process; over its API.
#include "services/device-controller-svc/app.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "services/device-controller-svc/core/interest.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/lib/cloudspoke/testing/fake_hub.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/kubeclient/testing/api_process.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

namespace pb = ::skerry::devicecontroller::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kBinary[] = "services/standalone-api-svc/standalone-api-svc";
constexpr char kDefinitions[] = "charts/skerry-cloud/crds";
constexpr char kDevice[] = R"({"apiVersion":"devices.kubeedge.io/v1beta1","kind":"Device",
  "metadata":{"namespace":"default","name":"d"},
  "spec":{"deviceModelRef":{"name":"m"},"nodeName":"edge-1","protocol":{"protocolName":"virtual"},
  "properties":[{"name":"temp"}]}})";

class AppTest : public ::testing::Test {
 protected:
  AppTest() : api_(kBinary, dir_.path(), kDefinitions) {
    api_.Start();
    admin_ = api_.Open("admin");
    DeviceControllerConfig config;
    config.common.ops_listen = "127.0.0.1:0";
    config.listen = "127.0.0.1:0";
    config.kubeconfig = dir_.path() + "/kc/device-controller.kubeconfig";
    config.hub_addresses = {hub_.address()};
    config.state_dir = dir_.path() + "/devices";
    config.lease_duration = absl::Seconds(3);
    config.renew_deadline = absl::Seconds(2);
    config.retry_period = absl::Milliseconds(200);
    app_ = std::make_unique<DeviceControllerApp>(config, log::Logger::Null());
    EXPECT_TRUE(app_->Start().ok());
    const auto channel = *rpc::MakeChannel({.target = app_->addresses()["api"]});
    devices_ = pb::DeviceService::NewStub(channel);
    twins_ = pb::DeviceTwinService::NewStub(channel);
  }

  bool Await(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  std::string Line(const std::string& what) { return std::string("edge-1 ") + kDevices + what; }

  testing::TempDir dir_;
  cloudspoke::FakeHub hub_;
  kubeclient::ApiProcess api_;
  std::unique_ptr<kubeclient::Client> admin_;
  std::unique_ptr<DeviceControllerApp> app_;
  std::unique_ptr<pb::DeviceService::Stub> devices_;
  std::unique_ptr<pb::DeviceTwinService::Stub> twins_;
};

TEST_F(AppTest, ADeviceIsServedSwitchedAndWritten) {
  ASSERT_TRUE(Await([&] { return app_->readiness().WaitingFor().empty(); }));
  ASSERT_TRUE(admin_->Create(Devices(), "default", kDevice).ok());
  hub_.Connect("edge-1", 1);
  hub_.Subscribe("edge-1", 1, kDevices, 1);
  ASSERT_TRUE(hub_.AwaitSaid(Line(" + default/d")));

  pb::GetDeviceRequest get;
  get.set_name("namespaces/default/devices/d");
  pb::Device device;
  ASSERT_TRUE(Await([&] {
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(absl::Seconds(10)));
    return devices_->GetDevice(&context, get, &device).ok();
  }));
  EXPECT_EQ(device.node(), "edge-1");
  EXPECT_TRUE(device.enabled());

  pb::UpdateDeviceTwinRequest update;
  update.mutable_twin()->set_name("namespaces/default/devices/d/twin");
  (*update.mutable_twin()->mutable_properties())["temp"].mutable_desired()->set_value("21");
  pb::DeviceTwin twin;
  {
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(absl::Seconds(10)));
    const grpc::Status status = twins_->UpdateDeviceTwin(&context, update, &twin);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  ASSERT_TRUE(hub_.AwaitSaid(Line(" + default/d"), 2)) << "the node gets it";
  const auto object = admin_->Get(Devices(), "default", "d");
  EXPECT_EQ(object->Json()["spec"]["properties"][0]["desired"]["value"], "21");

  pb::DisableDeviceRequest disable;
  disable.set_name(get.name());
  disable.set_reason("smokes");
  {
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(absl::Seconds(10)));
    const grpc::Status status = devices_->DisableDevice(&context, disable, &device);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_FALSE(device.enabled());
  EXPECT_TRUE(hub_.AwaitSaid(Line(" - default/d"))) << "without waiting for the next look";
  const std::string exposed =
      testing::Fetch({.url = "http://" + app_->addresses()["ops"] + "/metrics"}).body;
  for (const char* store : {"registry", "telemetry", "twins"}) {
    const std::string label = std::string("{store=\"") + store + "\"} ";
    EXPECT_THAT(exposed,
                HasSubstr("skerry_devicecontroller_store_bytes_max" + label + "10737418240\n"));
    EXPECT_THAT(exposed, HasSubstr("skerry_devicecontroller_store_bytes" + label));
    EXPECT_THAT(exposed, Not(HasSubstr("skerry_devicecontroller_store_bytes" + label + "0\n")));
  }
  app_->Drain(absl::Now() + absl::Seconds(1));
  app_->Stop();
}

}  // namespace
}  // namespace skerry::devicecontroller
