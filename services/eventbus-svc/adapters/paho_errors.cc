#include "services/eventbus-svc/adapters/paho_errors.h"

#include <MQTTAsync.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

using Code = absl::StatusCode;

absl::Status Refused(Code code, absl::string_view reason, absl::string_view what, int connack) {
  return Error(code, absl::StrCat("the MQTT broker refused the connection: ", what))
      .Reason(reason)
      .Meta("code", absl::StrCat(connack));
}

}  // namespace

absl::Status StatusFromConnect(int code, absl::string_view detail) {
  switch (code) {
    case 1:
    case MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION:
      return Refused(Code::kFailedPrecondition, "MQTT_VERSION_REFUSED",
                     "it does not speak this version: set mqtt.version", code);
    case 2:
    case MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID:
      return Refused(Code::kFailedPrecondition, "MQTT_CLIENT_ID_REFUSED",
                     "it does not take this client id: set mqtt.client_id", code);
    case 4:
    case MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD:
      return Refused(Code::kUnauthenticated, "MQTT_CREDENTIALS_REFUSED",
                     "bad user name or password: see mqtt.credentials_file", code);
    case 5:
    case MQTTREASONCODE_NOT_AUTHORIZED:
    case MQTTREASONCODE_BANNED:
      return Refused(Code::kPermissionDenied, "MQTT_NOT_AUTHORIZED",
                     "not authorized: see mqtt.credentials_file, mqtt.certificate_file and the "
                     "broker's configuration",
                     code);
    case 3:
    case MQTTREASONCODE_SERVER_UNAVAILABLE:
    case MQTTREASONCODE_SERVER_BUSY:
      return Refused(Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE", "it is unavailable", code);
    default:
      return Error(Code::kUnavailable, absl::StrCat("the MQTT broker can't be reached",
                                                    detail.empty() ? "" : ": ", detail))
          .Reason("MQTT_BROKER_UNAVAILABLE")
          .Meta("code", absl::StrCat(code));
  }
}

absl::Status StatusFromPaho(absl::string_view what, int code) {
  const auto error = [&](Code status, absl::string_view reason) {
    return Error(status, absl::StrCat(what, " failed: MQTT client code ", code))
        .Reason(reason)
        .Meta("code", absl::StrCat(code))
        .ToStatus();
  };
  if (code >= 0x80) return error(Code::kPermissionDenied, "MQTT_NOT_AUTHORIZED");
  switch (code) {
    case MQTTASYNC_SUCCESS:
      return absl::OkStatus();
    case MQTTASYNC_DISCONNECTED:
    case MQTTASYNC_OPERATION_INCOMPLETE:
      return error(Code::kUnavailable, "MQTT_DISCONNECTED");
    case MQTTASYNC_MAX_MESSAGES_INFLIGHT:
    case MQTTASYNC_NO_MORE_MSGIDS:
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
      return error(Code::kResourceExhausted, "MQTT_BUSY");
    case MQTTASYNC_BAD_UTF8_STRING:
    case MQTTASYNC_BAD_QOS:
    case MQTTASYNC_NULL_PARAMETER:
      return error(Code::kInvalidArgument, "MQTT_REFUSED_ARGUMENT");
    default:
      return error(Code::kUnavailable, "MQTT_FAILED");
  }
}

}  // namespace skerry::eventbus
