#include "services/eventbus-svc/adapters/paho_errors.h"

#include <MQTTAsync.h>
#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using Code = absl::StatusCode;

TEST(PahoErrorsTest, EachAnswerToAConnectionIsMapped) {
  const struct {
    int code;
    Code status;
    const char* reason;
  } kRows[] = {
      {1, Code::kFailedPrecondition, "MQTT_VERSION_REFUSED"},
      {0x84, Code::kFailedPrecondition, "MQTT_VERSION_REFUSED"},
      {2, Code::kFailedPrecondition, "MQTT_CLIENT_ID_REFUSED"},
      {0x85, Code::kFailedPrecondition, "MQTT_CLIENT_ID_REFUSED"},
      {3, Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE"},
      {0x88, Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE"},
      {0x89, Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE"},
      {4, Code::kUnauthenticated, "MQTT_CREDENTIALS_REFUSED"},
      {0x86, Code::kUnauthenticated, "MQTT_CREDENTIALS_REFUSED"},
      {5, Code::kPermissionDenied, "MQTT_NOT_AUTHORIZED"},
      {0x87, Code::kPermissionDenied, "MQTT_NOT_AUTHORIZED"},
      {0x8A, Code::kPermissionDenied, "MQTT_NOT_AUTHORIZED"},
      {MQTTASYNC_FAILURE, Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE"},
      {0x9F, Code::kUnavailable, "MQTT_BROKER_UNAVAILABLE"},
  };
  for (const auto& row : kRows) {
    const absl::Status status = StatusFromConnect(row.code, "");
    EXPECT_THAT(status, StatusIs(row.status)) << row.code;
    EXPECT_THAT(status, HasReason(row.reason)) << row.code;
  }
  EXPECT_EQ(StatusFromConnect(-1, "TLS: expired").message(),
            "the MQTT broker can't be reached: TLS: expired");
}

TEST(PahoErrorsTest, OtherCalls) {
  EXPECT_THAT(StatusFromPaho("x", MQTTASYNC_SUCCESS), IsOk());
  EXPECT_THAT(StatusFromPaho("x", MQTTASYNC_DISCONNECTED), HasReason("MQTT_DISCONNECTED"));
  EXPECT_THAT(StatusFromPaho("x", MQTTASYNC_MAX_BUFFERED_MESSAGES), HasReason("MQTT_BUSY"));
  EXPECT_THAT(StatusFromPaho("x", MQTTASYNC_BAD_UTF8_STRING), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(StatusFromPaho("x", MQTTREASONCODE_NOT_AUTHORIZED),
              StatusIs(Code::kPermissionDenied));
  EXPECT_THAT(StatusFromPaho("x", MQTTASYNC_FAILURE), StatusIs(Code::kUnavailable));
}

}  // namespace
}  // namespace skerry::eventbus
