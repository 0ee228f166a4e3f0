// What is subscribed to.
#include <MQTTAsync.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "services/eventbus-svc/adapters/mqtt_client_impl.h"
#include "services/eventbus-svc/adapters/paho_errors.h"

namespace skerry::eventbus {
namespace {

constexpr int kRefused = 0x80;  // Reasons and granted QoS from here on are refusals.

std::vector<char*> Pointers(const std::vector<std::string>& filters) {
  std::vector<char*> pointers;
  for (const std::string& filter : filters) pointers.push_back(const_cast<char*>(filter.c_str()));
  return pointers;
}

}  // namespace

void MqttClient::Impl::SubscribeFirst() {
  std::vector<std::string> all = options.topic_filters;
  all.insert(all.end(), wanted.begin(), wanted.end());
  session->subscribed = wanted;
  Subscribe(std::move(all));
}

void MqttClient::Impl::UpdateFilters() {
  if (session == nullptr || !session->connected) return;
  std::vector<std::string> more;
  std::set_difference(wanted.begin(), wanted.end(), session->subscribed.begin(),
                      session->subscribed.end(), std::back_inserter(more));
  if (!more.empty()) {
    session->subscribed.insert(more.begin(), more.end());
    Subscribe(std::move(more));
  }
  if (session != nullptr && !unwanted.empty()) Unsubscribe({unwanted.begin(), unwanted.end()});
}

// A single subscription that the broker refuses is a failure to Paho.
void MqttClient::Impl::OnFailure(void* context, int code) {
  if (code >= kRefused && static_cast<Session::Asked*>(context)->filters.size() == 1) {
    Subscribed(context, {true});
  } else {
    AskedInVain(context);
  }
}

MqttClient::Impl::Session::Asked& MqttClient::Impl::Remember(std::vector<std::string> filters) {
  session->asked.push_back({session.get(), std::move(filters)});
  return session->asked.back();
}

void MqttClient::Impl::Subscribe(std::vector<std::string> filters) {
  Session::Asked& asked = Remember(std::move(filters));
  const std::vector<char*> pointers = Pointers(asked.filters);
  const std::vector<int> qos(pointers.size(), options.subscribe_qos);
  MQTTSubscribe_options each = MQTTSubscribe_options_initializer;
  each.noLocal = 1;         // What the cloud had us publish does not go up again.
  each.retainHandling = 2;  // No former requests.
  std::vector<MQTTSubscribe_options> list(pointers.size(), each);
  MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
  response.context = &asked;
  if (options.version_5) {
    response.subscribeOptionsCount = static_cast<int>(list.size());
    response.subscribeOptionsList = list.data();
    response.onSuccess5 = [](void* context, MQTTAsync_successData5* data) {
      std::vector<bool> refused;
      if (data->alt.sub.reasonCodeCount <= 1) {
        refused.push_back(data->reasonCode >= kRefused);
      } else {
        for (int i = 0; i < data->alt.sub.reasonCodeCount; ++i) {
          refused.push_back(data->alt.sub.reasonCodes[i] >= kRefused);
        }
      }
      Subscribed(context, std::move(refused));
    };
    response.onFailure5 = [](void* context, MQTTAsync_failureData5* data) {
      OnFailure(context, data == nullptr ? 0 : data->reasonCode);
    };
  } else {
    response.onSuccess = [](void* context, MQTTAsync_successData* data) {
      const size_t count = static_cast<Session::Asked*>(context)->filters.size();
      std::vector<bool> refused;
      for (size_t i = 0; i < count; ++i) {
        refused.push_back((count == 1 ? data->alt.qos : data->alt.qosList[i]) >= kRefused);
      }
      Subscribed(context, std::move(refused));
    };
    response.onFailure = [](void* context, MQTTAsync_failureData* data) {
      OnFailure(context, data == nullptr ? 0 : data->code);
    };
  }
  const absl::Status begun = StatusFromPaho(
      "subscribing", MQTTAsync_subscribeMany(session->handle, static_cast<int>(pointers.size()),
                                             pointers.data(), qos.data(), &response));
  if (!begun.ok()) End(begun);
}

void MqttClient::Impl::OnSubscribed(const std::vector<std::string>& filters,
                                    const std::vector<bool>& refused) {
  for (size_t i = 0; i < filters.size(); ++i) {
    if (i < refused.size() && refused[i]) {
      session->refused.insert(filters[i]);
      log.Warning("the MQTT broker refuses a subscription", {{"filter", filters[i]}});
    } else {
      session->refused.erase(filters[i]);
    }
  }
  const int count = static_cast<int>(session->refused.size());
  if (session->connected) return listener.OnMqttRefused(count);
  session->connected = true;
  backoff.Reset();
  log.Info("MQTT broker connected", {{"address", options.broker}, {"refused_filters", count}});
  PostAfter(options.ack_timeout / 2, [this] { CheckAcks(); });
  listener.OnMqttConnected(count);
  UpdateFilters();  // It may have changed meanwhile.
}

void MqttClient::Impl::Unsubscribe(std::vector<std::string> filters) {
  for (const std::string& filter : filters) session->subscribed.erase(filter);
  Session::Asked& asked = Remember(std::move(filters));
  const std::vector<char*> pointers = Pointers(asked.filters);
  MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
  response.context = &asked;
  if (options.version_5) {
    response.onSuccess5 = [](void* context, MQTTAsync_successData5*) { Unsubscribed(context); };
    response.onFailure5 = [](void* context, MQTTAsync_failureData5*) { AskedInVain(context); };
  } else {
    response.onSuccess = [](void* context, MQTTAsync_successData*) { Unsubscribed(context); };
    response.onFailure = [](void* context, MQTTAsync_failureData*) { AskedInVain(context); };
  }
  const absl::Status begun = StatusFromPaho(
      "unsubscribing", MQTTAsync_unsubscribeMany(session->handle, static_cast<int>(pointers.size()),
                                                 pointers.data(), &response));
  if (!begun.ok()) End(begun);
}

void MqttClient::Impl::OnUnsubscribed(const std::vector<std::string>& filters) {
  std::set<std::string> ended;
  for (const std::string& filter : filters) {
    session->refused.erase(filter);
    // It may be wanted again by now.
    if (session->subscribed.count(filter) == 0) ended.insert(filter);
    unwanted.erase(filter);
  }
  listener.OnMqttUnsubscribed(ended);
  listener.OnMqttRefused(static_cast<int>(session->refused.size()));
}

}  // namespace skerry::eventbus
