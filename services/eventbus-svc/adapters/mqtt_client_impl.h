// The parts of MqttClient, for its own files.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_IMPL_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_IMPL_H_

#include <MQTTAsync.h>

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/adapters/mqtt_client.h"
#include "services/eventbus-svc/adapters/paho_errors.h"
#include "services/lib/link/backoff.h"

namespace skerry::eventbus {

// All of it is used on the executor's thread only, unless it says otherwise.
struct MqttClient::Impl : std::enable_shared_from_this<MqttClient::Impl> {
  // One connection, from the attempt to its end. Paho is given pointers to it until `handle` is
  // destroyed, which waits for Paho's calls.
  struct Session {
    struct Sent {
      Session* session;
      uint64_t id;
      absl::Duration due;
    };
    Impl* impl = nullptr;
    uint64_t attempt = 0;
    MQTTAsync handle = nullptr;
    std::string user, password, uri;
    bool connected = false;
    std::map<uint64_t, Sent> sent;  // By id.
    // Subscriptions that wait for the broker's answer, and that it has answered.
    struct Asked {
      Session* session;
      std::vector<std::string> filters;
    };
    std::list<Asked> asked;
    std::set<std::string> subscribed;  // Of the wanted ones.
    std::set<std::string> refused;     // Of all.
    absl::Mutex mutex;
    std::string tls_error ABSL_GUARDED_BY(mutex);  // Written by Paho's threads.
  };

  Impl(const MqttOptions& o, exec::SerialExecutor& e, Clock& c, MqttListener& l, log::Logger g)
      : options(o),
        executor(e),
        clock(c),
        listener(l),
        log(std::move(g)),
        backoff(o.reconnect_min, o.reconnect_max, absl::Uniform<uint64_t>(random)) {}

  const MqttOptions options;
  exec::SerialExecutor& executor;
  Clock& clock;
  MqttListener& listener;
  const log::Logger log;
  absl::BitGen random;
  link::Backoff backoff;
  bool stopped = false;
  uint64_t attempt = 0;
  std::set<std::string> wanted, unwanted;  // Filters beside the fixed ones.
  std::unique_ptr<Session> session;

  bool IsOpen(uint64_t of) const {
    return !stopped && session != nullptr && session->attempt == of;
  }
  // Runs `work` on the executor if the session of that attempt is still the one. Any thread.
  template <typename Work>
  void Post(uint64_t of, Work work) {
    executor.Post([self = shared_from_this(), of, work = std::move(work)] {
      if (self->IsOpen(of)) work();
    });
  }
  template <typename Work>
  void PostAfter(absl::Duration delay, Work work) {
    executor.PostAfter(delay, [self = shared_from_this(), of = attempt, work = std::move(work)] {
      if (self->IsOpen(of)) work();
    });
  }

  void Connect();
  absl::Status Begin();
  absl::Status BeginConnect();
  void SubscribeFirst();
  Session::Asked& Remember(std::vector<std::string> filters);
  void Subscribe(std::vector<std::string> filters);
  void UpdateFilters();
  void OnSubscribed(const std::vector<std::string>& filters, const std::vector<bool>& refused);
  void Unsubscribe(std::vector<std::string> filters);
  void OnUnsubscribed(const std::vector<std::string>& filters);
  void End(const absl::Status& why);
  void Destroy();
  void CheckAcks();
  void OnPublished(uint64_t id, const absl::Status& status);

  // ---- On Paho's threads.
  static Session* Of(void* context) { return static_cast<Session*>(context); }
  static void Connected(void* context) {
    Session* s = Of(context);
    s->impl->Post(s->attempt, [impl = s->impl] { impl->SubscribeFirst(); });
  }
  static void ConnectFailed(void* context, int code, const char* message) {
    Session* s = Of(context);
    std::string detail = message == nullptr ? "" : message;
    {
      absl::MutexLock lock(&s->mutex);
      if (!s->tls_error.empty()) absl::StrAppend(&detail, " (", s->tls_error, ")");
    }
    s->impl->Post(s->attempt, [impl = s->impl, status = StatusFromConnect(code, detail)] {
      impl->End(status);
    });
  }
  static void Lost(void* context, char*) {
    Session* s = Of(context);
    s->impl->Post(s->attempt, [impl = s->impl] {
      impl->End(StatusFromPaho("the connection to the MQTT broker", MQTTASYNC_DISCONNECTED));
    });
  }
  static int Arrived(void* context, char* topic, int topic_length, MQTTAsync_message* message) {
    MqttMessage copy;
    copy.topic = topic_length > 0 ? std::string(topic, static_cast<size_t>(topic_length)) : topic;
    copy.size_bytes = static_cast<size_t>(std::max(0, message->payloadlen));
    copy.payload.assign(static_cast<const char*>(message->payload),
                        std::min(copy.size_bytes, kMqttPayloadKept));
    copy.retained = message->retained != 0;
    copy.delivery = {.packet_id = message->qos == 0 ? 0 : message->msgid,
                     .duplicate = message->dup != 0};
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    Of(context)->impl->listener.OnMqttMessage(std::move(copy));
    return 1;
  }
  static void Subscribed(void* context, std::vector<bool> refused) {
    const auto* asked = static_cast<Session::Asked*>(context);
    const Session* s = asked->session;
    s->impl->Post(s->attempt, [impl = s->impl, asked, refused = std::move(refused)] {
      impl->OnSubscribed(asked->filters, refused);
    });
  }
  static void Unsubscribed(void* context) {
    const auto* asked = static_cast<Session::Asked*>(context);
    const Session* s = asked->session;
    s->impl->Post(s->attempt, [impl = s->impl, asked] { impl->OnUnsubscribed(asked->filters); });
  }
  static void OnFailure(void* context, int code);
  static void AskedInVain(void* context) {
    Lost(static_cast<Session::Asked*>(context)->session, nullptr);
  }
  static void Published(void* context, int code) {
    const auto* sent = static_cast<Session::Sent*>(context);
    const Session* s = sent->session;
    s->impl->Post(s->attempt, [impl = s->impl, id = sent->id, code] {
      impl->OnPublished(id, StatusFromPaho("publishing", code));
    });
  }
  static int TlsError(const char* text, size_t size, void* context) {
    Session* s = Of(context);
    absl::MutexLock lock(&s->mutex);
    if (s->tls_error.empty()) {
      s->tls_error = std::string(absl::StripSuffix(absl::string_view(text, size), "\n"));
    }
    return 0;
  }
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_IMPL_H_
