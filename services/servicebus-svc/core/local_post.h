// What a local program sends to the cloud, in KubeEdge's form.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_CORE_LOCAL_POST_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_CORE_LOCAL_POST_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::servicebus {

inline constexpr size_t kPayloadBytesMax = 252u << 10;

struct LocalPost {
  std::string target_url;
  std::string content_type;
  std::string payload;
};

// {"method": "POST", "targetURL": "http://…", "payload": …}. A payload that is a string is its
// text, any other value its JSON. INVALID_ARGUMENT / POST_INVALID names the member;
// PERMISSION_DENIED / TARGET_NOT_ALLOWED where the URL is no target.
absl::StatusOr<LocalPost> ReadLocalPost(absl::string_view body,
                                        absl::FunctionRef<bool(const std::string& url)> is_target);

// {"code":200,"msg":"…","body":""}, as KubeEdge's clients expect it: with its error as the message.
std::string LocalAnswer(const absl::Status& status);

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_CORE_LOCAL_POST_H_
