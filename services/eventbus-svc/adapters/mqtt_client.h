// The box's MQTT broker, over Paho.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/eventbus-svc/store/delivery.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/security/system_roots.h"

namespace skerry::eventbus {

struct MqttOptions {
  std::string broker;      // "tcp://host:port", or "ssl://host:port" for TLS.
  std::string client_id;   // Stable: the broker keeps the session by it while we are away.
  bool version_5 = false;  // Else 3.1.1.
  std::vector<std::string> topic_filters;
  // 0 or 1. A session ends with its connection here, and of QoS 2 the two ends then know
  // different things: messages would get lost.
  int subscribe_qos = 1;
  int publish_qos = 1;
  std::string credentials_file;  // User name and password, a line each. Empty: none.
  std::string ca_file;           // Of a TLS broker; empty: the machine's.
  security::SystemRootPlaces system_roots;
  std::string certificate_file;  // Ours, and its key; empty: none.
  std::string key_file;
  absl::Duration keepalive = absl::Seconds(30);
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration ack_timeout = absl::Seconds(30);   // Then the connection is given up.
  absl::Duration session_expiry = absl::Hours(24);  // MQTT 5; with 3.1.1 it is the broker's.
  absl::Duration reconnect_min = absl::Milliseconds(500);
  absl::Duration reconnect_max = absl::Seconds(30);
};

struct MqttMessage {
  std::string topic;
  std::string payload;    // At most kMqttPayloadKept bytes of it.
  size_t size_bytes = 0;  // Of the payload as it came.
  bool retained = false;  // The broker had it before we subscribed.
  Delivery delivery;
};
inline constexpr size_t kMqttPayloadKept = (256 << 10) + 1;

class MqttListener {
 public:
  virtual ~MqttListener() = default;
  // ---- On the executor.
  // We are subscribed. `refused`: how many filters the broker did not grant.
  virtual void OnMqttConnected(int refused) = 0;
  // That number has changed.
  virtual void OnMqttRefused(int refused) = 0;
  // The connection is over, or was not made. Publications without an answer may have arrived.
  // UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION: the broker, or a file here, says no.
  virtual void OnMqttDisconnected(const absl::Status& why) = 0;
  // The broker has it; or why not. PERMISSION_DENIED, INVALID_ARGUMENT: it never will; else it can
  // be published again.
  virtual void OnMqttPublished(uint64_t id, const absl::Status& status) = 0;
  // The broker has ended these subscriptions of SetFilters.
  virtual void OnMqttUnsubscribed(const std::set<std::string>& filters) = 0;
  // ---- On Paho's thread, which reads on when this returns: whoever waits here holds back the
  // broker. It holds Paho's lock: neither this nor what it waits for may call the client.
  virtual void OnMqttMessage(MqttMessage message) = 0;
};

// Connects, subscribes, and again after a loss, with jitter; each attempt reads the files anew. The
// executor's thread is the only one that calls Paho. Clock, executor and listener outlive it.
//
// A message of QoS 1 is acknowledged when the listener has returned: so Paho 1.3 does, and a test
// sees it. What a process that dies had not done with is delivered again, as a duplicate.
class MqttClient final {
 public:
  MqttClient(const MqttOptions& options, exec::SerialExecutor& executor, Clock& clock,
             MqttListener& listener, log::Logger log);
  ~MqttClient();  // Stop().

  void Start();
  // Closes the connection: the listener is not called any more. Not from the executor. Idempotent.
  void Stop();

  // On the executor. The answer is OnMqttPublished, unless the connection ends. UNAVAILABLE without
  // one.
  absl::Status Publish(uint64_t id, const Publication& publication);

  // On the executor. What to subscribe to beside the fixed filters, from now on; and what to
  // unsubscribe from, of which the broker's session may have something: with no connection it is
  // done when there is one.
  void SetFilters(std::set<std::string> wanted, std::set<std::string> unwanted);

 private:
  struct Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_MQTT_CLIENT_H_
