// A real MQTT broker for tests, from the machine's package.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_TESTING_LOCAL_MOSQUITTO_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_TESTING_LOCAL_MOSQUITTO_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::testing {

// Listens on a port of 127.0.0.1 that was free, and keeps it over restarts; forgets everything with
// its process. Stopped by the destructor. One thread.
class LocalMosquitto final {
 public:
  // `config`: lines of mosquitto.conf that follow the listener's.
  static absl::StatusOr<std::unique_ptr<LocalMosquitto>> Start(
      absl::string_view config = "allow_anonymous true");
  // With this configuration, in which {port} stands for the port and {dir} for a folder of its own.
  static absl::StatusOr<std::unique_ptr<LocalMosquitto>> StartWith(absl::string_view config);
  ~LocalMosquitto();
  LocalMosquitto(const LocalMosquitto&) = delete;
  LocalMosquitto& operator=(const LocalMosquitto&) = delete;

  int port() const { return port_; }
  std::string uri(absl::string_view scheme = "tcp") const;  // "tcp://127.0.0.1:1883"
  const TempDir& folder() const { return folder_; }
  std::string Log() const;

  // SIGKILL.
  void Kill();
  // At the same address, with the same configuration.
  absl::Status Restart();

 private:
  explicit LocalMosquitto(std::string config) : config_(std::move(config)) {}
  absl::Status Launch();

  const std::string config_;
  TempDir folder_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_TESTING_LOCAL_MOSQUITTO_H_
