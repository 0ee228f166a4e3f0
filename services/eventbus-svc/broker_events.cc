#include "services/eventbus-svc/broker_events.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::eventbus {

BrokerEvents::BrokerEvents(Intake& intake, Publisher& publisher, Unsubscribed unsubscribed,
                           process::Readiness& readiness, BusMetrics& metrics)
    : intake_(intake),
      publisher_(publisher),
      unsubscribed_(std::move(unsubscribed)),
      readiness_(readiness),
      metrics_(metrics) {
  WaitFor("MQTT broker");
}

void BrokerEvents::WaitFor(const std::string& what) {
  if (waits_for_ != what) {
    std::unique_ptr<process::Readiness::Token> token = readiness_.Register(what);
    token_ = std::move(token);
    waits_for_ = what;
  }
  token_->Set(false);
}

void BrokerEvents::OnMqttConnected(int refused) {
  connected_ = true;
  metrics_.mqtt_connected.Set(1);
  metrics_.connects_ok.Increment();
  metrics_.subscriptions_refused.Set(refused);
  token_->Set(true);
  publisher_.OnConnected();
}

void BrokerEvents::OnMqttDisconnected(const absl::Status& why) {
  metrics_.mqtt_connected.Set(0);
  if (!std::exchange(connected_, false)) {
    (absl::IsUnavailable(why) ? metrics_.connects_unreachable : metrics_.connects_refused)
        .Increment();
  }
  WaitFor(absl::StrCat("MQTT broker (", absl::string_view(why.message()), ")"));
  publisher_.OnDisconnected();
}

void BrokerEvents::OnMqttRefused(int refused) { metrics_.subscriptions_refused.Set(refused); }

void BrokerEvents::OnMqttUnsubscribed(const std::set<std::string>& filters) {
  unsubscribed_(filters);
}

void BrokerEvents::OnMqttPublished(uint64_t id, const absl::Status& status) {
  publisher_.OnPublished(id, status);
}

void BrokerEvents::OnMqttMessage(MqttMessage message) {
  intake_.OnMessage(std::move(message.topic), std::move(message.payload), message.size_bytes,
                    message.retained, message.delivery);
}

}  // namespace skerry::eventbus
