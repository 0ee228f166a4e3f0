// What goes into and comes out of the edge's session machine.
#ifndef SKERRY_SERVICES_LIB_LINK_EDGE_EVENTS_H_
#define SKERRY_SERVICES_LIB_LINK_EDGE_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::link::edge {

// ---- events ----

// Begins to dial.
struct Start {};
// Ends the link for good: the process is going away.
struct Stop {};
// `connection` is that of the Dial; what comes of an earlier one is dropped.
struct FrameReceived {
  uint64_t connection = 0;
  CloudFrame frame;
};
// What came does not parse, or breaks a bound of the wire.
struct InvalidFrame {
  uint64_t connection = 0;
  absl::Status violation;
};
struct LinkClosed {
  uint64_t connection = 0;
  absl::Status status;
};
// A spoke owns these types from now on; former owners are told by CloseSpoke.
struct SpokeAttached {
  SpokeId spoke = 0;
  std::vector<std::string> resource_types;
  std::vector<std::string> report_types;
  std::vector<std::string> tunnel_types = {};
  std::vector<std::string> command_types = {};
};
struct SpokeDetached {
  SpokeId spoke = 0;
};
struct SpokeSubscribe {
  SpokeId spoke = 0;
  Subscribe subscribe;
};
struct ResourceDone {
  SpokeId spoke = 0;
  ResourceAck ack;
};
// The journal holds a new entry, durably.
struct ReportStored {
  std::string type;
  uint64_t sequence = 0;
};
// Answers StoreEpoch, once the epoch is on the disk.
struct EpochStored {
  uint64_t epoch = 0;
};
// Answers FetchReports of this connection.
struct ReportsFetched {
  uint64_t connection = 0;
  std::string type;
  std::vector<Report> reports;
  bool more = false;
};
// The journal holds a new event of the stream, durably.
struct EventStored {
  std::string stream;
  EventPriority priority = EventPriority::kTelemetry;
  uint64_t sequence = 0;
};
// Answers FetchEvents of this connection.
struct EventsFetched {
  uint64_t connection = 0;
  EventBatch batch;  // Empty where there was nothing.
  bool more = false;
};
// A user takes the tunnel that a TunnelRequest offered; CanJoin was asked before.
struct JoinTunnel {
  uint64_t tunnel = 0;
};
// Answers AwaitDrained of this connection.
struct Drained {
  uint64_t connection = 0;
};
struct Tick {};

using Event =
    std::variant<Start, Stop, FrameReceived, InvalidFrame, LinkClosed, SpokeAttached, SpokeDetached,
                 SpokeSubscribe, ResourceDone, EpochStored, ReportStored, ReportsFetched,
                 EventStored, EventsFetched, CommandBegun, CommandFinished, CommandRead,
                 CommandDone, Drained, JoinTunnel, tunnel::FromUser, Tick>;

// ---- effects ----

// Open a transport to the cloud. Earlier ones are closed.
struct Dial {
  uint64_t connection = 0;
};
struct Send {
  EdgeFrame frame;
};
// Close the present transport.
struct CloseLink {
  uint64_t connection = 0;
  absl::Status status;
};
struct LinkState {
  bool connected = false;
  std::string reason;  // Why not.
};
struct SubscribeRequest {
  std::string type;
  uint64_t subscription_id = 0;
};
// Take it within the time that link-8.2 gives. The epoch tells it from those of other sessions.
struct TunnelRequest {
  uint64_t epoch = 0;
  uint64_t tunnel = 0;
  std::string type;
  std::string target;
};
using SpokeMessage =
    std::variant<LinkState, SubscribeRequest, ResourceChange, CommandRequest, TunnelRequest>;
struct ToSpoke {
  SpokeId spoke = 0;
  SpokeMessage message;
};
// The spoke broke a rule, or was replaced.
struct CloseSpoke {
  SpokeId spoke = 0;
  absl::Status status;
};
struct FetchReports {
  uint64_t connection = 0;
  std::string type;
  uint64_t after = 0;
  size_t count_max = 0;
  size_t bytes_max = 0;
};
// These are applied in the cloud, or refused for good.
struct TrimReports {
  std::string type;
  uint64_t up_to = 0;
  std::vector<Rejection> rejections;
};
struct FetchEvents {
  uint64_t connection = 0;
  std::string stream;
  uint64_t after = 0;
  size_t count_max = 0;
  size_t bytes_max = 0;
};
// These are applied in the cloud, or refused for good.
struct TrimEvents {
  EventAck ack;
};
// Say Drained when the transport has taken everything that was sent.
struct AwaitDrained {
  uint64_t connection = 0;
};
// Durably, for the next Hello of this box. Where that fails the session goes on all the same.
struct StoreEpoch {
  uint64_t epoch = 0;
};
// For logs and metrics.
struct Connected {
  Welcome welcome;
};
// The line calls for another heartbeat interval: for a shorter one from the next session on, or for
// a longer one at once.
struct IntervalAdapted {
  absl::Duration from;
  absl::Duration to;
};
struct Disconnected {
  absl::Status status;
  absl::Duration dial_in;  // Infinite after Stop.
  bool was_connected = false;
  absl::Duration silence;  // How long nothing was heard.
};
enum class Incident {
  kStaleChange,
  kStaleSubscribe,
  kStaleDone,
  kStaleConnection,
  kStaleTunnel,
  kStaleCommand,
  kDeferred,  // Something that can wait began to wait for the budget.
};
struct Count {
  Incident incident = Incident::kStaleChange;
};
using Effect = std::variant<Dial, Send, CloseLink, ToSpoke, CloseSpoke, FetchReports, TrimReports,
                            FetchEvents, TrimEvents, BeginCommand, FinishCommand, ForgetCommand,
                            ReadCommand, AwaitDrained, StoreEpoch, tunnel::ToUser, Connected,
                            IntervalAdapted, Disconnected, CompressionBytes, Count>;

}  // namespace skerry::link::edge

#endif  // SKERRY_SERVICES_LIB_LINK_EDGE_EVENTS_H_
