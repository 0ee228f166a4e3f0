#include "services/eventbus-svc/core/user_messages.h"

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {

absl::Status CheckUserMessage(absl::string_view topic, size_t payload_bytes) {
  SKERRY_RETURN_IF_ERROR(CheckTopicName(topic));
  if (topic.size() > kUserTopicBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("MQTT topic has ", topic.size(), " bytes: use at most ",
                              kUserTopicBytesMax, " where the cloud is to have the message"))
        .Reason("USER_MESSAGE_TOO_LARGE");
  }
  if (payload_bytes > kUserPayloadBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("payload has ", payload_bytes, " bytes: send at most ",
                              kUserPayloadBytesMax))
        .Reason("USER_MESSAGE_TOO_LARGE");
  }
  return absl::OkStatus();
}

}  // namespace skerry::eventbus
