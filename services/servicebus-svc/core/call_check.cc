#include "services/servicebus-svc/core/call_check.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::servicebus {

bool IsCallMethod(absl::string_view method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return true;
  }
  return false;
}

absl::Status CheckCall(absl::string_view method,
                       const std::vector<std::pair<std::string, std::string>>& headers) {
  if (!IsCallMethod(method)) {
    return InvalidField("method", method.substr(0, 64),
                        "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")
        .Reason("CALL_INVALID");
  }
  if (headers.size() > kCallHeadersMax) {
    return InvalidField("headers", absl::StrCat(headers.size()),
                        absl::StrCat("send at most ", kCallHeadersMax))
        .Reason("CALL_INVALID");
  }
  size_t bytes = 0;
  for (const auto& [name, value] : headers) bytes += name.size() + value.size();
  if (bytes > kCallHeaderBytesMax) {
    return InvalidField("headers", absl::StrCat(bytes, " bytes"),
                        absl::StrCat("send at most ", kCallHeaderBytesMax, " bytes"))
        .Reason("CALL_INVALID");
  }
  return absl::OkStatus();
}

}  // namespace skerry::servicebus
