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

absl::string_view ClassOf(const EdgeFrame& frame) {
  if (std::holds_alternative<Report>(frame)) return "report";
  if (std::holds_alternative<Hello>(frame) || std::holds_alternative<Heartbeat>(frame))
    return "session";
  return "resource_sync";
}

absl::string_view ClassOf(const CloudFrame& frame) {
  if (std::holds_alternative<ReportAck>(frame)) return "report";
  if (std::holds_alternative<ResourceChange>(frame) || std::holds_alternative<Resync>(frame)) {
    return "resource_sync";
  }
  return "session";
}

}  // namespace skerry::link
