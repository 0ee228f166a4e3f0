// The frames of the link as plain values: what the session machines speak. wire.h converts.
#ifndef SKERRY_SERVICES_LIB_LINK_FRAMES_H_
#define SKERRY_SERVICES_LIB_LINK_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::link {

// Bounds of docs/spec/link.md section 7, the same at both ends.
inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr size_t kFrameBytesMax = 512u << 10;
inline constexpr size_t kChunkBytesMax = 16u << 10;
inline constexpr size_t kChunkedBytesMax = 4u << 20;
inline constexpr size_t kCompressBytesMin = 512;
inline constexpr size_t kCompressRatioMax = 100;
inline constexpr size_t kTransportWindowBytes = 64u << 10;
inline constexpr size_t kTransportUnsentBytesMax = 32u << 10;
inline constexpr size_t kObjectBytesMax = 3u << 19;  // 1.5 MiB, the limit of Kubernetes.
inline constexpr size_t kKeyBytesMax = 320;
inline constexpr size_t kVersionBytesMax = 256;
inline constexpr size_t kTypeBytesMax = 253;
inline constexpr size_t kHoldingsPerFrameMax = 2048;
inline constexpr size_t kSubscriptionsMax = 12;
inline constexpr size_t kReportTypesMax = 12;
inline constexpr size_t kResourceWindowBytes = 1u << 20;
inline constexpr size_t kReportWindowBytes = 1u << 20;
inline constexpr size_t kReportWindowCount = 64;
inline constexpr size_t kEventBytesMax = 256u << 10;
inline constexpr size_t kEventsPerFrameMax = 1024;
inline constexpr size_t kEventStreamsMax = 12;
inline constexpr size_t kEventWindowBytes = 1u << 20;
inline constexpr size_t kEventWindowCount = 4096;
inline constexpr size_t kCommandKeyBytesMax = 128;
inline constexpr size_t kCommandBytesMax = 256u << 10;       // Of a payload, and of a response.
inline constexpr size_t kCommandStatusBytesMax = 32u << 10;  // Of a receipt.
inline constexpr size_t kCommandTypesMax = 12;
inline constexpr size_t kCommandsOpenMax = 32;  // Of a type.
inline constexpr size_t kCommandWindowBytes = 1u << 20;
inline constexpr absl::Duration kCommandDeadlineMax = absl::Hours(24);
inline constexpr absl::Duration kCommandExpiryMax = absl::Hours(24 * 30);
inline constexpr size_t kTunnelsMax = 64;
inline constexpr size_t kTunnelTypesMax = 12;
inline constexpr size_t kTunnelTargetBytesMax = 4u << 10;
inline constexpr size_t kTunnelDataBytesMax = 32u << 10;
inline constexpr size_t kTunnelWindowBytes = 256u << 10;
inline constexpr size_t kTunnelCreditBytesMax = 1u << 20;
inline constexpr size_t kTunnelUnsentBytesMax = 64u << 10;
// Of a budget (section 14): the least lets heartbeats of 15 s go and leaves most of it.
inline constexpr uint64_t kBudgetRateMin = 32;
inline constexpr uint64_t kBudgetRateMax = 1u << 30;
inline constexpr uint64_t kBudgetBurstMin = 1u << 10;
inline constexpr uint64_t kBudgetBurstMax = 1u << 30;

// ---- session ----

// What an end may send. Without a rate there is no limit.
struct ByteLimit {
  uint64_t bytes_per_second = 0;
  uint64_t burst_bytes = 0;
  bool operator==(const ByteLimit&) const = default;
};

struct Hello {
  uint32_t protocol_version = 0;
  std::string boot_id;
  std::string journal_id;
  std::string software_version;
  uint64_t stored_epoch = 0;
  std::string event_store_id;
  absl::Duration heartbeat_interval_max;  // 0: the hub's own.
  ByteLimit down_limit;                   // What the hub may send.
  bool accepts_deflate = false;
};

struct Welcome {
  uint64_t epoch = 0;
  absl::Duration heartbeat_interval;
  std::string hub;
  absl::Time cloud_time;
  bool accepts_deflate = false;
};

struct EpochStored {};

// interval: of a node, the longest that it asks for from now on; of the hub, what holds from now
// on; 0 where nothing changes.
struct Heartbeat {
  absl::Duration interval;
};

struct GoAway {
  std::string reason;
  absl::Duration retry_after;
};

// ---- chunks ----

// In the order of urgency.
enum class Rank { kSync, kAlarm, kCommand, kTelemetry, kState, kBulk };

struct Chunk {
  Rank rank = Rank::kSync;
  std::string bytes;
  bool last = false;
};

// ---- compression ----

struct Compressed {
  Rank rank = Rank::kSync;
  size_t size = 0;  // Of the serialized frame.
  std::string bytes;
};

// What compression did to a frame; counted by the hubs.
struct CompressionBytes {
  bool sent = false;  // Else received.
  size_t plain = 0;
  size_t compressed = 0;
};
inline CompressionBytes BytesOf(const Compressed& frame, bool sent) {
  return {sent, frame.size, frame.bytes.size()};
}

// ---- resource sync ----

struct Holding {
  std::string key;
  std::string version;
};

struct Subscribe {
  std::string type;
  uint64_t subscription_id = 0;
  std::vector<Holding> holdings;
  bool more = false;
};

struct Unsubscribe {
  std::string type;
  uint64_t subscription_id = 0;
};

struct Change {
  enum class Kind { kUpsert, kDelete, kSynced };
  Kind kind = Kind::kUpsert;
  std::string key;      // Empty for synced.
  std::string version;  // Of an upsert.
  std::string object;   // Of an upsert; JSON.
};

// What a change counts for in windows and queues.
inline size_t ChangeBytes(const Change& change) {
  return change.key.size() + change.version.size() + change.object.size() + 64;
}

struct ResourceChange {
  std::string type;
  uint64_t subscription_id = 0;
  uint64_t sequence = 0;
  Change change;
};

struct Rejection {
  uint64_t sequence = 0;
  absl::Status status;
};

struct ResourceAck {
  std::string type;
  uint64_t subscription_id = 0;
  uint64_t sequence = 0;
  std::vector<Rejection> rejections;
};

struct Resync {
  std::string type;
};

// ---- report ----

struct HybridTime {
  int64_t wall_micros = 0;
  uint32_t logical = 0;
  auto operator<=>(const HybridTime&) const = default;
};

struct Report {
  uint64_t sequence = 0;
  std::string type;
  std::string key;
  int64_t generation = 0;
  HybridTime time;
  std::string value;
};

// What a report counts for in windows and in the journal.
inline size_t ReportBytes(const Report& report) {
  return report.type.size() + report.key.size() + report.value.size() + 64;
}

struct ReportAck {
  std::string type;
  uint64_t sequence = 0;
  std::vector<Rejection> rejections;
};

// ---- event ----

// One entry of an ordered stream.
struct StreamEvent {
  uint64_t sequence = 0;
  uint64_t dropped_before = 0;
  absl::Time time;
  std::string key;
  std::string value;
};

// What an event counts for in windows and in the journal.
inline size_t EventBytes(const StreamEvent& event) {
  return event.key.size() + event.value.size() + 64;
}

struct EventBatch {
  std::string stream;
  std::vector<StreamEvent> events;
};

struct EventAck {
  std::string stream;
  uint64_t sequence = 0;
  std::vector<Rejection> rejections;
};

// Which of the box's streams goes first where the link is narrow.
enum class EventPriority { kAlarm, kTelemetry, kBulk };

// ---- command ----

struct Command {
  std::string key;
  std::string type;
  std::string payload;
  absl::Duration deadline;   // From its start on.
  absl::Duration expire_in;  // 0: it is not to be started any more, only asked for.
  bool reexecutable = false;
};

// What a command counts for in windows and queues.
inline size_t CommandBytes(const Command& command) {
  return command.key.size() + command.type.size() + command.payload.size() + 64;
}

struct CommandReceipt {
  enum class Stage { kDelivered, kStarted, kReturned, kDone };
  std::string key;
  Stage stage = Stage::kDelivered;
  absl::Status status;   // Of done: how it ended. Of returned: why.
  std::string response;  // Of done.
};

struct CommandTakers {
  std::vector<std::string> types;
};

// ---- tunnel ----

struct TunnelOpen {
  uint64_t id = 0;
  std::string type;
  std::string target;
  uint64_t credit = 0;
};

struct TunnelAccept {
  uint64_t id = 0;
  uint64_t credit = 0;
};

struct TunnelData {
  uint64_t id = 0;
  std::string bytes;
};

struct TunnelCredit {
  uint64_t id = 0;
  uint64_t bytes = 0;
};

struct TunnelClose {
  uint64_t id = 0;
  bool half_close = false;
  absl::Status status;
};

using EdgeFrame = std::variant<Hello, Subscribe, Unsubscribe, ResourceAck, Report, Heartbeat,
                               EpochStored, Chunk, Compressed, EventBatch, CommandReceipt,
                               CommandTakers, TunnelAccept, TunnelData, TunnelCredit, TunnelClose>;
using CloudFrame =
    std::variant<Welcome, ResourceChange, ReportAck, Heartbeat, Resync, GoAway, Chunk, Compressed,
                 EventAck, Command, TunnelOpen, TunnelData, TunnelCredit, TunnelClose>;

// "session", "resource_sync", "report", "event", "command" or "tunnel": the class that a frame's
// bytes are counted for.
absl::string_view ClassOf(const EdgeFrame& frame);
absl::string_view ClassOf(const CloudFrame& frame);
// What a frame costs on the wire, about: more than it does, but for a long name of its type.
size_t FrameBytes(const EdgeFrame& frame);
size_t FrameBytes(const CloudFrame& frame);

// UNAVAILABLE / NO_COMMAND_TAKER.
absl::Status NoCommandTaker(absl::string_view type);

// Who a spoke is to a machine: one attachment of it. 0 is nobody.
using SpokeId = uint64_t;

// A broken rule of docs/spec/link.md: INVALID_ARGUMENT / PROTOCOL_VIOLATION, with the rule's
// number.
absl::Status Violation(absl::string_view rule, absl::string_view message);
bool IsViolation(const absl::Status& status);

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_FRAMES_H_
