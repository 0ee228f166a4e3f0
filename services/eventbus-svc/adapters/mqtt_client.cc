#include "services/eventbus-svc/adapters/mqtt_client.h"

#include <MQTTAsync.h>

#include <utility>

#include "services/eventbus-svc/adapters/mqtt_client_impl.h"
#include "services/eventbus-svc/adapters/paho_errors.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

// Beyond Paho's own timeouts; it is not known to miss them.
constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

void MqttClient::Impl::Connect() {
  if (stopped || session != nullptr) return;
  session = std::make_unique<Session>();
  session->impl = this;
  session->attempt = ++attempt;
  if (const absl::Status begun = Begin(); !begun.ok()) return End(begun);
  PostAfter(options.connect_timeout + kPatience, [this] {
    if (!session->connected) End(StatusFromConnect(MQTTASYNC_FAILURE, "it does not answer"));
  });
}

void MqttClient::Impl::CheckAcks() {
  for (const auto& [id, sent] : session->sent) {
    if (sent.due > clock.Monotonic()) continue;
    return End(Error(absl::StatusCode::kUnavailable,
                     "the MQTT broker does not acknowledge what is published")
                   .Reason("MQTT_ACK_TIMEOUT"));
  }
  PostAfter(options.ack_timeout / 2, [this] { CheckAcks(); });
}

void MqttClient::Impl::OnPublished(uint64_t id, const absl::Status& status) {
  if (session->sent.erase(id) > 0) listener.OnMqttPublished(id, status);
}

void MqttClient::Impl::Destroy() {
  if (session != nullptr && session->handle != nullptr) MQTTAsync_destroy(&session->handle);
  session.reset();
}

void MqttClient::Impl::End(const absl::Status& why) {
  Destroy();
  if (backoff.failures() == 0) {
    log.Warning("no MQTT broker, will retry", why, {{"address", options.broker}});
  }
  executor.PostAfter(backoff.Next(), [self = shared_from_this()] { self->Connect(); });
  listener.OnMqttDisconnected(why);
}

MqttClient::MqttClient(const MqttOptions& options, exec::SerialExecutor& executor, Clock& clock,
                       MqttListener& listener, log::Logger log)
    : impl_(std::make_shared<Impl>(options, executor, clock, listener, std::move(log))) {}

MqttClient::~MqttClient() { Stop(); }

void MqttClient::Start() {
  impl_->executor.Post([impl = impl_] { impl->Connect(); });
}

void MqttClient::Stop() {
  impl_->executor.Run([impl = impl_] {
    impl->stopped = true;
    impl->Destroy();
  });
}

void MqttClient::SetFilters(std::set<std::string> wanted, std::set<std::string> unwanted) {
  impl_->wanted = std::move(wanted);
  impl_->unwanted = std::move(unwanted);
  impl_->UpdateFilters();
}

absl::Status MqttClient::Publish(uint64_t id, const Publication& publication) {
  Impl::Session* const s = impl_->session.get();
  if (s == nullptr || !s->connected) return StatusFromPaho("publishing", MQTTASYNC_DISCONNECTED);
  MQTTAsync_message message = MQTTAsync_message_initializer;
  message.payload = const_cast<char*>(publication.payload.data());
  message.payloadlen = static_cast<int>(publication.payload.size());
  message.qos = impl_->options.publish_qos;
  message.retained = publication.retain ? 1 : 0;
  Impl::Session::Sent& sent = s->sent[id];
  sent = {s, id, impl_->clock.Monotonic() + impl_->options.ack_timeout};
  MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
  response.context = &sent;
  if (impl_->options.version_5) {
    response.onSuccess5 = [](void* context, MQTTAsync_successData5*) {
      Impl::Published(context, MQTTASYNC_SUCCESS);
    };
    response.onFailure5 = [](void* context, MQTTAsync_failureData5* data) {
      const int reason = data == nullptr ? 0 : data->reasonCode;
      const int code = data == nullptr || data->code == 0 ? MQTTASYNC_FAILURE : data->code;
      Impl::Published(context, reason >= 0x80 ? reason : code);
    };
  } else {
    response.onSuccess = [](void* context, MQTTAsync_successData*) {
      Impl::Published(context, MQTTASYNC_SUCCESS);
    };
    response.onFailure = [](void* context, MQTTAsync_failureData* data) {
      Impl::Published(context, data == nullptr || data->code == 0 ? MQTTASYNC_FAILURE : data->code);
    };
  }
  const absl::Status given = StatusFromPaho(
      "publishing",
      MQTTAsync_sendMessage(s->handle, publication.topic.c_str(), &message, &response));
  if (!given.ok()) s->sent.erase(id);
  return given;
}

}  // namespace skerry::eventbus
