#include <MQTTAsync.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/adapters/broker_tls.h"
#include "services/eventbus-svc/adapters/credentials.h"
#include "services/eventbus-svc/adapters/paho_errors.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/doctor/local_probes.h"

namespace skerry::skerryctl {
namespace {

// Longer than Paho's own limit, which speaks first.
constexpr absl::Duration kGrace = absl::Seconds(3);

// Awaited by the monotonic clock: the wall clock may be what is wrong with this box.
struct Attempt {
  std::promise<absl::Status> ended;
  void End(int code, const char* detail) {
    ended.set_value(code == 0 ? absl::OkStatus()
                              : eventbus::StatusFromConnect(code, detail == nullptr ? "" : detail));
  }
};

void Succeeded(void* attempt) { static_cast<Attempt*>(attempt)->End(0, nullptr); }

template <typename Data>
void Refused(void* attempt, Data* data) {
  static_cast<Attempt*>(attempt)->End(data == nullptr ? MQTTASYNC_FAILURE : data->code,
                                      data == nullptr ? nullptr : data->message);
}

MQTTAsync_connectOptions OptionsOf(bool version_5, Attempt* attempt) {
  if (version_5) {
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
    options.cleanstart = 1;
    options.onSuccess5 = [](void* context, MQTTAsync_successData5*) { Succeeded(context); };
    options.onFailure5 = &Refused<MQTTAsync_failureData5>;
    options.context = attempt;
    return options;
  }
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  options.cleansession = 1;
  options.MQTTVersion = MQTTVERSION_3_1_1;
  options.onSuccess = [](void* context, MQTTAsync_successData*) { Succeeded(context); };
  options.onFailure = &Refused<MQTTAsync_failureData>;
  options.context = attempt;
  return options;
}

}  // namespace

absl::Status ProbeBroker(const eventbus::BusConfig& config, absl::Duration within) {
  eventbus::Credentials credentials;
  if (!config.mqtt_credentials_file.empty()) {
    SKERRY_ASSIGN_OR_RETURN(credentials, eventbus::ReadCredentials(config.mqtt_credentials_file));
  }
  eventbus::BrokerTls files;
  if (absl::StartsWith(config.mqtt_broker, "ssl://")) {
    SKERRY_ASSIGN_OR_RETURN(files,
                            eventbus::WithRoots({.ca_file = config.mqtt_ca_file,
                                                 .certificate_file = config.mqtt_certificate_file,
                                                 .key_file = config.mqtt_key_file}));
  }
  const bool version_5 = config.mqtt_version == "5";
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  create.MQTTVersion = version_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  MQTTAsync handle = nullptr;
  const std::string id = absl::StrCat("skerry-doctor-", getpid());
  SKERRY_RETURN_IF_ERROR(eventbus::StatusFromPaho(
      "making an MQTT client",
      MQTTAsync_createWithOptions(&handle, config.mqtt_broker.c_str(), id.c_str(),
                                  MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create)));
  auto attempt = std::make_unique<Attempt>();
  MQTTAsync_connectOptions connect = OptionsOf(version_5, attempt.get());
  MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
  connect.connectTimeout = static_cast<int>(std::max<int64_t>(1, absl::ToInt64Seconds(within)));
  if (!config.mqtt_credentials_file.empty()) {
    connect.username = credentials.user.c_str();
    connect.password = credentials.password.c_str();
  }
  if (absl::StartsWith(config.mqtt_broker, "ssl://")) {
    tls = eventbus::PahoTlsOptions(files);
    connect.ssl = &tls;
  }
  absl::Status status = eventbus::StatusFromPaho("connecting", MQTTAsync_connect(handle, &connect));
  if (status.ok()) {
    std::future<absl::Status> ended = attempt->ended.get_future();
    if (ended.wait_for(absl::ToChronoMilliseconds(within + kGrace)) == std::future_status::ready) {
      status = ended.get();
    } else {
      status = Error(absl::StatusCode::kUnavailable, "no answer in time").Reason("TIMED_OUT");
      attempt.release();  // Paho may still call it; the process ends soon.
    }
  }
  MQTTAsync_destroy(&handle);
  return status;
}

}  // namespace skerry::skerryctl
