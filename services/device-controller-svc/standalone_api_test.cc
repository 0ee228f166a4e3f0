// The controller against the real standalone-api-svc, over TLS, with the rights that it gives to
// controllers and KubeEdge's definitions as the chart has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "services/device-controller-svc/core/interest.h"
#include "services/device-controller-svc/device_resources.h"
#include "services/device-controller-svc/testing/engine_fixture.h"
#include "services/lib/kubeclient/testing/api_process.h"
#include "services/lib/log/logger.h"

namespace skerry::devicecontroller {
namespace {

using nlohmann::json;

constexpr char kBinary[] = "services/standalone-api-svc/standalone-api-svc";
constexpr char kDefinitions[] = "charts/skerry-cloud/crds";

class StandaloneApiTest : public EngineFixture {
 protected:
  StandaloneApiTest() : process_(kBinary, dir_.path(), kDefinitions) {
    process_.Start();
    admin_ = process_.Open("admin");
    client_ = process_.Open("device-controller");
    hubs_.Set({hub_->address()});
  }
  ~StandaloneApiTest() override { engine_.reset(); }

  void StartEngine() {
    engine_ = std::make_unique<Engine>(
        options_, *client_, hubs_,
        Stores{stores_->registry(), stores_->twins(), stores_->telemetry()},
        Engine::Listener{
            .on_synced = [] {}, .on_hubs = [](size_t) {}, .on_record = [](const DeviceName&) {}},
        clock_, metrics_, log::Logger::Null());
    engine_->Start();
    ASSERT_TRUE(hub_->AwaitAttached());
  }
  void Create(const kubeclient::Resource& resource, const json& object) {
    const auto created =
        admin_->Create(resource, object["metadata"]["namespace"].get<std::string>(), object.dump());
    ASSERT_TRUE(created.ok()) << created.status();
  }
  absl::StatusOr<KubeObject> Get(const kubeclient::Resource& resource, const std::string& name) {
    return admin_->Get(resource, "ns", name);
  }

  kubeclient::ApiProcess process_;
  std::unique_ptr<kubeclient::Client> admin_;
  std::unique_ptr<kubeclient::Client> client_;
};

TEST_F(StandaloneApiTest, ADeviceGoesDownAndItsStatusComesUp) {
  const auto made =
      admin_->Create(kubeclient::Namespaces(), "",
                     R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns"}})");
  ASSERT_TRUE(made.ok()) << made.status();
  Create(DeviceModelResource(), json::parse(Model("m")));
  Create(Devices(), json::parse(Device("d", "edge-1", "m", {{"temp", "21"}})));
  StartEngine();
  hub_->Connect("edge-1", 1);
  hub_->Subscribe("edge-1", 1, kDevices, 1);
  ASSERT_TRUE(hub_->AwaitSaid(std::string("edge-1 ") + kDevices + " + ns/d"));
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kDesired) == "temp=21 "; }));

  const std::string uid = Get(Devices(), "d")->uid();
  hub_->Report("edge-1", 1, 1, "twins", "ns/d", TwinReport("d", uid, {{"temp", "20"}}));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  const auto status = Get(DeviceStatuses(), "d");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->Json()["status"], json::parse(R"({
    "twins": [{"propertyName": "temp", "reported": {"value": "20", "metadata":
      {"timestamp": "1767225600000", "type": "int"}}}],
    "state": "online", "lastOnlineTime": "2026-01-01T00:00:00Z"})"));
  hub_->Report("edge-1", 1, 2, "twins", "ns/d", TwinReport("d", uid, {{"temp", "22"}}));
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 2 OK"));
  EXPECT_EQ(Get(DeviceStatuses(), "d")->Json()["status"]["twins"][0]["reported"]["value"], "22");

  // Nobody collects by owner there.
  ASSERT_TRUE(admin_->Delete(Devices(), "ns", "d").ok());
  EXPECT_TRUE(Await([&] { return absl::IsNotFound(Get(DeviceStatuses(), "d").status()); }));
  EXPECT_TRUE(hub_->AwaitSaid(std::string("edge-1 ") + kDevices + " - ns/d"));
}

TEST_F(StandaloneApiTest, ReportsWaitForAnApiServerThatIsKilled) {
  const auto made =
      admin_->Create(kubeclient::Namespaces(), "",
                     R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns"}})");
  ASSERT_TRUE(made.ok()) << made.status();
  Create(Devices(), json::parse(Device("d", "edge-1")));
  StartEngine();
  hub_->Connect("edge-1", 1);
  const std::string uid = Get(Devices(), "d")->uid();
  process_.Kill();
  hub_->Report("edge-1", 1, 1, "twins", "ns/d", TwinReport("d", uid, {{"temp", "20"}}));
  ASSERT_TRUE(Await([&] { return Twin("d", TwinSide::kReported) == "temp=20 "; }));
  EXPECT_FALSE(hub_->AwaitSaid("edge-1 done 1 OK", 1, absl::Milliseconds(100)));
  process_.Start();
  ASSERT_TRUE(hub_->AwaitSaid("edge-1 done 1 OK"));
  EXPECT_TRUE(Get(DeviceStatuses(), "d").ok());
}

}  // namespace
}  // namespace skerry::devicecontroller
