// What the broker's connection tells, to those who need it.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_BROKER_EVENTS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_BROKER_EVENTS_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "services/eventbus-svc/adapters/mqtt_client.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/intake.h"
#include "services/eventbus-svc/runner/publisher.h"
#include "services/lib/process/readiness.h"

namespace skerry::eventbus {

// /readyz says why there is no broker. What it is given outlives it.
class BrokerEvents final : public MqttListener {
 public:
  using Unsubscribed = std::function<void(const std::set<std::string>& filters)>;

  BrokerEvents(Intake& intake, Publisher& publisher, Unsubscribed unsubscribed,
               process::Readiness& readiness, BusMetrics& metrics);

  void OnMqttConnected(int refused) override;
  void OnMqttDisconnected(const absl::Status& why) override;
  void OnMqttRefused(int refused) override;
  void OnMqttPublished(uint64_t id, const absl::Status& status) override;
  void OnMqttUnsubscribed(const std::set<std::string>& filters) override;
  void OnMqttMessage(MqttMessage message) override;

 private:
  void WaitFor(const std::string& what);

  Intake& intake_;
  Publisher& publisher_;
  const Unsubscribed unsubscribed_;
  process::Readiness& readiness_;
  BusMetrics& metrics_;
  bool connected_ = false;  // This and the rest: on the executor.
  std::string waits_for_;
  std::unique_ptr<process::Readiness::Token> token_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_BROKER_EVENTS_H_
