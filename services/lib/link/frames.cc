#include "services/lib/link/frames.h"

#include "services/lib/base/error.h"

namespace skerry::link {

absl::Status Violation(absl::string_view rule, absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message)
      .Reason("PROTOCOL_VIOLATION")
      .Meta("rule", rule);
}

bool IsViolation(const absl::Status& status) {
  return GetErrorInfo(status).reason == "PROTOCOL_VIOLATION";
}

}  // namespace skerry::link
