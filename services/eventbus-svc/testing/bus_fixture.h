// The whole service between a real mosquitto and neighbours in memory.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_TESTING_BUS_FIXTURE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_TESTING_BUS_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/functional/function_ref.h"
#include "services/eventbus-svc/app.h"
#include "services/eventbus-svc/config.h"
#include "services/eventbus-svc/testing/fake_twin_service.h"
#include "services/eventbus-svc/testing/local_mosquitto.h"
#include "services/eventbus-svc/testing/mqtt_probe.h"
#include "services/lib/base/clock.h"
#include "services/lib/hubclient/testing/fake_edgehub.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::eventbus {

// One thread. Everything is stopped by the destructor.
class BusFixture : public ::testing::Test {
 protected:
  BusFixture();
  ~BusFixture() override;

  // What a test starts: nothing runs before.
  void StartBroker(const std::string& config = "allow_anonymous true");
  void StartTwins();
  void StopTwins() { twins_.reset(); }
  void StartHub();
  void StopHub() { hub_.reset(); }
  void StartApp();
  void StopApp();
  // All of them, the app ready, and a probe that hears all of KubeEdge's topics.
  void StartAll();

  // False after 30 s.
  bool Await(absl::FunctionRef<bool()> condition);
  bool AwaitReady();
  // The value of a line of /metrics, such as `skerry_eventbus_devices`; -1: there is none.
  double Metric(const std::string& line);
  std::unique_ptr<testing::MqttProbe> Probe(const std::string& client_id);

  // The next message of the device's topic "twin/update/result", without its timestamps.
  nlohmann::json Next(const std::string& suffix, const std::string& device = "plant/pump-1");
  void Publish(const std::string& suffix, const std::string& payload,
               const std::string& device = "plant/pump-1");

  SystemClock clock_;
  testing::TempDir folder_;
  BusConfig config_;
  std::unique_ptr<testing::LocalMosquitto> broker_;
  std::unique_ptr<FakeTwinService> twins_;
  std::unique_ptr<hubclient::FakeEdgehub> hub_;
  std::unique_ptr<BusApp> app_;
  std::unique_ptr<testing::MqttProbe> probe_;
};

// Without members "timestamp", each of which must be a time of today.
nlohmann::json WithoutTimes(nlohmann::json document);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_TESTING_BUS_FIXTURE_H_
