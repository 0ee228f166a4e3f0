// The one map from Paho's and MQTT's codes to statuses.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_PAHO_ERRORS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_PAHO_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::eventbus {

// Why a connection was not made. `code` is CONNACK's (1 to 5 of MQTT 3.1.1, from 0x80 of MQTT 5) or
// one of Paho's own, which are negative; `detail` may be empty.
//
// | CONNACK                                 | status              | reason                   |
// |-----------------------------------------|---------------------|--------------------------|
// | 1, 0x84                                 | FAILED_PRECONDITION | MQTT_VERSION_REFUSED     |
// | 2, 0x85                                 | FAILED_PRECONDITION | MQTT_CLIENT_ID_REFUSED   |
// | 4, 0x86                                 | UNAUTHENTICATED     | MQTT_CREDENTIALS_REFUSED |
// | 5, 0x87, 0x8A                           | PERMISSION_DENIED   | MQTT_NOT_AUTHORIZED      |
// | 3, 0x88, 0x89, the rest                 | UNAVAILABLE         | MQTT_BROKER_UNAVAILABLE  |
absl::Status StatusFromConnect(int code, absl::string_view detail);

// What became of another call; OK for 0. UNAVAILABLE / MQTT_DISCONNECTED, RESOURCE_EXHAUSTED /
// MQTT_BUSY, INVALID_ARGUMENT / MQTT_REFUSED_ARGUMENT, PERMISSION_DENIED / MQTT_NOT_AUTHORIZED for
// what the broker (MQTT 5, from 0x80) refused, else UNAVAILABLE / MQTT_FAILED.
absl::Status StatusFromPaho(absl::string_view what, int code);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_PAHO_ERRORS_H_
