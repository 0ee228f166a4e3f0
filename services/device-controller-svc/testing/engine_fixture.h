// The whole controller between a Kubernetes API in memory and a hub in this process, over real
// gRPC, with SQLite stores.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_ENGINE_FIXTURE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/engine.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/testing/breaking_stores.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/testing/fake_hub.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/kubeclient/testing/fake_client.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {

class EngineFixture : public ::testing::Test {
 protected:
  EngineFixture();
  ~EngineFixture() override;

  void Start();
  void StartAttached();
  void Restart();  // The engine, as when this replica leads again.

  // Of namespace "ns", with protocol "virtual". `desired`: by property; empty: none.
  static std::string Device(const std::string& name, const std::string& node,
                            const std::string& model = "m",
                            const std::map<std::string, std::string>& desired = {});
  static std::string Model(const std::string& name, const std::string& retention = "");
  // Properties that are declared and reported, at their value.
  static std::string TwinReport(const std::string& name, const std::string& uid,
                                const std::map<std::string, std::string>& reported);
  // Of one property "temp".
  static std::string Readings(const std::string& uid, const std::vector<std::string>& values);

  std::string UidOf(const std::string& name) const;  // Of Device ns/<name>.
  void Report(const std::string& node, uint64_t epoch, uint64_t sequence, const std::string& name,
              const std::map<std::string, std::string>& reported);
  void SendReadings(const std::string& node, uint64_t epoch, uint64_t sequence,
                    const std::string& name, const std::vector<std::string>& values);
  void SendEvent(const std::string& node, uint64_t epoch, uint64_t sequence, const std::string& key,
                 const std::string& value);

  nlohmann::json StatusOf(const std::string& name) const;  // Of the DeviceStatus; null: none.
  // "property=value ..." of the store, of one side.
  std::string Twin(const std::string& name, TwinSide side);
  std::string Telemetry(const std::string& name);
  bool Await(const std::function<bool()>& condition);
  bool HasMetric(const std::string& line) const;
  bool AwaitEvent(const std::string& name, const std::string& reason);

  testing::TempDir dir_;
  SystemClock clock_;
  metrics::Registry registry_{"test-svc"};
  DeviceControllerMetrics metrics_{registry_};
  kubeclient::FakeClient api_;
  std::unique_ptr<cloudspoke::FakeHub> hub_ = std::make_unique<cloudspoke::FakeHub>();
  cloudspoke::HubList hubs_;
  std::unique_ptr<BreakingStores> stores_;
  Engine::Options options_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_TESTING_ENGINE_FIXTURE_H_
