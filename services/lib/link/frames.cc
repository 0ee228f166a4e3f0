#include "services/lib/link/frames.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::link {

absl::Status Violation(absl::string_view rule, absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, message)
      .Reason("PROTOCOL_VIOLATION")
      .Meta("rule", rule);
}

absl::Status NoCommandTaker(absl::string_view type) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("no service of the node takes commands of type ", type, " now"))
      .Reason("NO_COMMAND_TAKER");
}

bool IsViolation(const absl::Status& status) {
  return GetErrorInfo(status).reason == "PROTOCOL_VIOLATION";
}

namespace {

size_t StatusBytes(const absl::Status& status) {
  size_t bytes = status.message().size() + 64;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    bytes += url.size() + payload.size() + 16;
  });
  return bytes;
}

size_t RejectionBytes(const std::vector<Rejection>& rejections) {
  size_t bytes = 0;
  for (const Rejection& rejection : rejections) bytes += StatusBytes(rejection.status);
  return bytes;
}

// What of a frame has no fixed bound of some ten bytes.
struct VariableBytes {
  size_t operator()(const Subscribe& f) const {
    size_t bytes = 0;
    for (const Holding& holding : f.holdings)
      bytes += holding.key.size() + holding.version.size() + 16;
    return bytes;
  }
  size_t operator()(const ResourceAck& f) const { return RejectionBytes(f.rejections); }
  size_t operator()(const ResourceChange& f) const { return ChangeBytes(f.change); }
  size_t operator()(const Report& f) const { return ReportBytes(f); }
  size_t operator()(const ReportAck& f) const { return RejectionBytes(f.rejections); }
  size_t operator()(const EventBatch& f) const {
    size_t bytes = 0;
    for (const StreamEvent& event : f.events) bytes += EventBytes(event);
    return bytes;
  }
  size_t operator()(const EventAck& f) const { return RejectionBytes(f.rejections); }
  size_t operator()(const Command& f) const { return CommandBytes(f); }
  size_t operator()(const CommandReceipt& f) const {
    return f.key.size() + StatusBytes(f.status) + f.response.size();
  }
  size_t operator()(const CommandTakers& f) const {
    size_t bytes = 0;
    for (const std::string& type : f.types) bytes += type.size() + 4;
    return bytes;
  }
  size_t operator()(const Chunk& f) const { return f.bytes.size(); }
  size_t operator()(const Compressed& f) const { return f.bytes.size(); }
  size_t operator()(const TunnelOpen& f) const { return f.target.size(); }
  size_t operator()(const TunnelData& f) const { return f.bytes.size(); }
  template <typename Frame>
  size_t operator()(const Frame&) const {
    return 0;
  }
};

constexpr size_t kFixedBytesMax = 64;

}  // namespace

size_t FrameBytes(const EdgeFrame& frame) {
  return kFixedBytesMax + std::visit(VariableBytes(), frame);
}

size_t FrameBytes(const CloudFrame& frame) {
  return kFixedBytesMax + std::visit(VariableBytes(), frame);
}

namespace {

template <typename Frame>
bool IsTunnel(const Frame& frame) {
  return std::holds_alternative<TunnelData>(frame) || std::holds_alternative<TunnelCredit>(frame) ||
         std::holds_alternative<TunnelClose>(frame);
}

absl::string_view ClassOf(Rank rank) {
  if (rank == Rank::kSync) return "resource_sync";
  if (rank == Rank::kCommand) return "command";
  return rank == Rank::kState ? "report" : "event";
}

}  // namespace

absl::string_view ClassOf(const EdgeFrame& frame) {
  if (IsTunnel(frame) || std::holds_alternative<TunnelAccept>(frame)) return "tunnel";
  if (const auto* chunk = std::get_if<Chunk>(&frame)) return ClassOf(chunk->rank);
  if (const auto* part = std::get_if<Compressed>(&frame)) return ClassOf(part->rank);
  if (std::holds_alternative<Report>(frame)) return "report";
  if (std::holds_alternative<EventBatch>(frame)) return "event";
  if (std::holds_alternative<CommandReceipt>(frame) ||
      std::holds_alternative<CommandTakers>(frame)) {
    return "command";
  }
  if (std::holds_alternative<Hello>(frame) || std::holds_alternative<Heartbeat>(frame) ||
      std::holds_alternative<EpochStored>(frame)) {
    return "session";
  }
  return "resource_sync";
}

absl::string_view ClassOf(const CloudFrame& frame) {
  if (IsTunnel(frame) || std::holds_alternative<TunnelOpen>(frame)) return "tunnel";
  if (const auto* chunk = std::get_if<Chunk>(&frame)) return ClassOf(chunk->rank);
  if (const auto* part = std::get_if<Compressed>(&frame)) return ClassOf(part->rank);
  if (std::holds_alternative<ReportAck>(frame)) return "report";
  if (std::holds_alternative<EventAck>(frame)) return "event";
  if (std::holds_alternative<Command>(frame)) return "command";
  if (std::holds_alternative<ResourceChange>(frame) || std::holds_alternative<Resync>(frame)) {
    return "resource_sync";
  }
  return "session";
}

}  // namespace skerry::link
