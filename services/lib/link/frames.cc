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

size_t FrameBytes(const EdgeFrame& frame) {
  if (const auto* report = std::get_if<Report>(&frame)) return ReportBytes(*report);
  size_t bytes = 64;
  if (const auto* subscribe = std::get_if<Subscribe>(&frame)) {
    for (const Holding& holding : subscribe->holdings)
      bytes += holding.key.size() + holding.version.size() + 8;
  } else if (const auto* batch = std::get_if<EventBatch>(&frame)) {
    for (const StreamEvent& event : batch->events) bytes += EventBytes(event);
  } else if (const auto* data = std::get_if<TunnelData>(&frame)) {
    bytes += data->bytes.size();
  }
  return bytes;
}

namespace {

template <typename Frame>
bool IsTunnel(const Frame& frame) {
  return std::holds_alternative<TunnelData>(frame) || std::holds_alternative<TunnelCredit>(frame) ||
         std::holds_alternative<TunnelClose>(frame);
}

}  // namespace

absl::string_view ClassOf(const EdgeFrame& frame) {
  if (IsTunnel(frame) || std::holds_alternative<TunnelAccept>(frame)) return "tunnel";
  if (std::holds_alternative<Report>(frame)) return "report";
  if (std::holds_alternative<EventBatch>(frame)) return "event";
  if (std::holds_alternative<Hello>(frame) || std::holds_alternative<Heartbeat>(frame) ||
      std::holds_alternative<EpochStored>(frame)) {
    return "session";
  }
  return "resource_sync";
}

absl::string_view ClassOf(const CloudFrame& frame) {
  if (IsTunnel(frame) || std::holds_alternative<TunnelOpen>(frame)) return "tunnel";
  if (std::holds_alternative<ReportAck>(frame)) return "report";
  if (std::holds_alternative<EventAck>(frame)) return "event";
  if (std::holds_alternative<ResourceChange>(frame) || std::holds_alternative<Resync>(frame)) {
    return "resource_sync";
  }
  return "session";
}

}  // namespace skerry::link
