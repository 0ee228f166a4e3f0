// Bounds of messages between MQTT clients and the cloud (api/skerry/eventbus/v1).
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_USER_MESSAGES_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_USER_MESSAGES_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::eventbus {

inline constexpr size_t kUserTopicBytesMax = 320;
inline constexpr size_t kUserPayloadBytesMax = 252 << 10;

// INVALID_ARGUMENT / TOPIC_INVALID, USER_MESSAGE_TOO_LARGE, for either direction.
absl::Status CheckUserMessage(absl::string_view topic, size_t payload_bytes);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_USER_MESSAGES_H_
