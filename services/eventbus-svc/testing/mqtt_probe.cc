#include "services/eventbus-svc/testing/mqtt_probe.h"

#include <MQTTClient.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

absl::Status Checked(absl::string_view what, int code) {
  if (code == MQTTCLIENT_SUCCESS) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(what, ": code ", code));
}

}  // namespace

struct MqttProbe::Impl {
  Options options;
  MQTTClient client = nullptr;
  absl::Mutex mutex;
  std::deque<Message> messages ABSL_GUARDED_BY(mutex);

  static int Arrived(void* context, char* topic, int length, MQTTClient_message* message) {
    Impl& impl = *static_cast<Impl*>(context);
    {
      absl::MutexLock lock(&impl.mutex);
      impl.messages.push_back({length > 0 ? std::string(topic, static_cast<size_t>(length)) : topic,
                               std::string(static_cast<const char*>(message->payload),
                                           static_cast<size_t>(message->payloadlen))});
    }
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
  }
};

MqttProbe::MqttProbe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<MqttProbe>> MqttProbe::Connect(const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  const Options& o = impl->options;
  absl::Status status =
      Checked("create", MQTTClient_create(&impl->client, o.uri.c_str(), o.client_id.c_str(),
                                          MQTTCLIENT_PERSISTENCE_NONE, nullptr));
  if (!status.ok()) return status;
  std::unique_ptr<MqttProbe> probe(new MqttProbe(std::move(impl)));
  MQTTClient_setCallbacks(probe->impl_->client, probe->impl_.get(), nullptr, &Impl::Arrived,
                          nullptr);
  MQTTClient_connectOptions connect = MQTTClient_connectOptions_initializer;
  MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
  connect.MQTTVersion = MQTTVERSION_3_1_1;
  connect.connectTimeout = 10;
  connect.cleansession = o.clean_session ? 1 : 0;
  if (!o.user.empty()) {
    connect.username = o.user.c_str();
    connect.password = o.password.c_str();
  }
  if (absl::StartsWith(o.uri, "ssl://")) {
    tls.trustStore = o.ca_file.c_str();
    tls.keyStore = o.certificate_file.empty() ? nullptr : o.certificate_file.c_str();
    tls.privateKey = o.key_file.empty() ? nullptr : o.key_file.c_str();
    connect.ssl = &tls;
  }
  status = Checked("connect", MQTTClient_connect(probe->impl_->client, &connect));
  if (!status.ok()) return status;
  return probe;
}

MqttProbe::~MqttProbe() {
  MQTTClient_disconnect(impl_->client, 0);
  MQTTClient_destroy(&impl_->client);
}

absl::Status MqttProbe::Subscribe(const std::string& filter) {
  const int code = MQTTClient_subscribe(impl_->client, filter.c_str(), 1);
  if (code == MQTT_BAD_SUBSCRIBE) return absl::PermissionDeniedError(filter);
  return Checked("subscribe", code);
}

absl::Status MqttProbe::Publish(const std::string& topic, const std::string& payload, int qos,
                                bool retained) {
  MQTTClient_deliveryToken token = 0;
  const absl::Status given = Checked(
      "publish", MQTTClient_publish(impl_->client, topic.c_str(), static_cast<int>(payload.size()),
                                    payload.data(), qos, retained ? 1 : 0, &token));
  if (!given.ok() || qos == 0) return given;
  return Checked("publish", MQTTClient_waitForCompletion(
                                impl_->client, token,
                                static_cast<unsigned long>(absl::ToInt64Milliseconds(kPatience))));
}

std::string MqttProbe::Next(const std::string& topic, absl::Duration patience) {
  absl::MutexLock lock(&impl_->mutex);
  const auto find = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return std::find_if(impl_->messages.begin(), impl_->messages.end(),
                        [&](const Message& each) { return each.topic == topic; });
  };
  const auto there = [&]()
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return find() != impl_->messages.end(); };
  if (!impl_->mutex.AwaitWithTimeout(absl::Condition(&there), patience)) return kNothing;
  const auto it = find();
  std::string payload = std::move(it->payload);
  impl_->messages.erase(it);
  return payload;
}

std::vector<MqttProbe::Message> MqttProbe::Take() {
  absl::MutexLock lock(&impl_->mutex);
  std::vector<Message> taken(impl_->messages.begin(), impl_->messages.end());
  impl_->messages.clear();
  return taken;
}

}  // namespace skerry::testing
