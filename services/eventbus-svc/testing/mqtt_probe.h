// An MQTT client for tests, such as a device has one.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_TESTING_MQTT_PROBE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_TESTING_MQTT_PROBE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::testing {

// MQTT 3.1.1. What comes in is kept until it is asked for. Any thread.
class MqttProbe final {
 public:
  struct Options {
    std::string uri;
    std::string client_id = "probe";
    bool clean_session = true;
    std::string user, password;  // Empty: none.
    std::string ca_file, certificate_file, key_file;
  };
  struct Message {
    std::string topic;
    std::string payload;
  };

  static absl::StatusOr<std::unique_ptr<MqttProbe>> Connect(const Options& options);
  ~MqttProbe();

  // Waits for the broker's answer; PERMISSION_DENIED where it refuses.
  absl::Status Subscribe(const std::string& filter);
  // Waits for the broker's acknowledgement.
  absl::Status Publish(const std::string& topic, const std::string& payload, int qos = 1,
                       bool retained = false);

  // The next message of that topic, which is then forgotten; kNothing when none came in time.
  static constexpr char kNothing[] = "(nothing came)";
  std::string Next(const std::string& topic, absl::Duration patience = absl::Seconds(20));
  // All that came and was not asked for, in order.
  std::vector<Message> Take();

 private:
  struct Impl;
  explicit MqttProbe(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_TESTING_MQTT_PROBE_H_
