// How a connection begins: options, credentials.
#include <MQTTAsync.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/adapters/broker_tls.h"
#include "services/eventbus-svc/adapters/credentials.h"
#include "services/eventbus-svc/adapters/mqtt_client_impl.h"
#include "services/eventbus-svc/adapters/paho_errors.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

// More than we give it at a time, so that it never refuses.
constexpr int kInflightMax = 1000;
constexpr int kPacketBytesMax = 1 << 20;  // MQTT 5: larger ones the broker does not send us.

// Paho stops its threads with its last handle, and starts them again with the next. One that is
// never connected and never destroyed spares it, and us, the races between.
void KeepPahoRunning() {
  static const bool kept = [] {
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;  // OpenSSL is not its own.
    MQTTAsync_global_init(&options);
    static MQTTAsync anchor = nullptr;
    return MQTTAsync_create(&anchor, "tcp://127.0.0.1:1", "anchor", MQTTCLIENT_PERSISTENCE_NONE,
                            nullptr) == MQTTASYNC_SUCCESS;
  }();
  (void)kept;
}

int Seconds(absl::Duration duration) {
  return static_cast<int>(std::max<int64_t>(1, absl::ToInt64Seconds(duration)));
}

absl::Status CheckReadable(absl::string_view setting, const std::string& path) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat(setting, ": ", path, " can't be read: ", strerror(errno)))
      .Reason("MQTT_FILE_UNREADABLE")
      .Meta("path", path);
}

}  // namespace

absl::Status MqttClient::Impl::Begin() {
  KeepPahoRunning();
  SKERRY_RETURN_IF_ERROR(CheckReadable("mqtt.ca_file", options.ca_file));
  SKERRY_RETURN_IF_ERROR(CheckReadable("mqtt.certificate_file", options.certificate_file));
  SKERRY_RETURN_IF_ERROR(CheckReadable("mqtt.key_file", options.key_file));
  if (!options.credentials_file.empty()) {
    SKERRY_ASSIGN_OR_RETURN(const Credentials credentials,
                            ReadCredentials(options.credentials_file));
    session->user = credentials.user;
    session->password = credentials.password;
  }
  session->uri = options.broker;
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  create.MQTTVersion = options.version_5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  create.maxBufferedMessages = kInflightMax;
  SKERRY_RETURN_IF_ERROR(StatusFromPaho(
      "making an MQTT client",
      MQTTAsync_createWithOptions(&session->handle, session->uri.c_str(), options.client_id.c_str(),
                                  MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create)));
  SKERRY_RETURN_IF_ERROR(StatusFromPaho(
      "making an MQTT client",
      MQTTAsync_setCallbacks(session->handle, session.get(), &Lost, &Arrived, nullptr)));
  return BeginConnect();
}

absl::Status MqttClient::Impl::BeginConnect() {
  MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
  MQTTProperties properties = MQTTProperties_initializer;
  BrokerTls files;
  MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
  const bool encrypted = absl::StartsWith(options.broker, "ssl://");
  if (encrypted) {
    SKERRY_ASSIGN_OR_RETURN(files, WithRoots({.ca_file = options.ca_file,
                                              .certificate_file = options.certificate_file,
                                              .key_file = options.key_file},
                                             options.system_roots));
    tls = PahoTlsOptions(files);
    tls.ssl_error_cb = &TlsError;
    tls.ssl_error_context = session.get();
  }
  if (options.version_5) {
    const MQTTAsync_connectOptions five = MQTTAsync_connectOptions_initializer5;
    connect = five;
    MQTTProperty property;
    property.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL;
    property.value.integer4 = static_cast<unsigned>(Seconds(options.session_expiry));
    MQTTProperties_add(&properties, &property);
    property.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE;
    property.value.integer4 = kPacketBytesMax;
    MQTTProperties_add(&properties, &property);
    connect.connectProperties = &properties;
    connect.cleanstart = 0;
    connect.onSuccess5 = [](void* context, MQTTAsync_successData5*) { Connected(context); };
    connect.onFailure5 = [](void* context, MQTTAsync_failureData5* data) {
      // CONNACK's reason is in `code`.
      ConnectFailed(context, data == nullptr ? MQTTASYNC_FAILURE : data->code,
                    data == nullptr ? nullptr : data->message);
    };
  } else {
    connect.cleansession = 0;
    connect.MQTTVersion = MQTTVERSION_3_1_1;
    connect.onSuccess = [](void* context, MQTTAsync_successData*) { Connected(context); };
    connect.onFailure = [](void* context, MQTTAsync_failureData* data) {
      ConnectFailed(context, data == nullptr ? MQTTASYNC_FAILURE : data->code,
                    data == nullptr ? nullptr : data->message);
    };
  }
  if (encrypted) connect.ssl = &tls;
  connect.context = session.get();
  connect.keepAliveInterval = Seconds(options.keepalive);
  connect.connectTimeout = Seconds(options.connect_timeout);
  connect.maxInflight = kInflightMax;
  if (!options.credentials_file.empty()) {
    connect.username = session->user.c_str();
    connect.password = session->password.c_str();
  }
  const int code = MQTTAsync_connect(session->handle, &connect);
  MQTTProperties_free(&properties);
  return code == MQTTASYNC_SUCCESS ? absl::OkStatus() : StatusFromConnect(code, "");
}

}  // namespace skerry::eventbus
