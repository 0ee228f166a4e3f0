// What goes into and comes out of the cloud's session machine.
#ifndef SKERRY_SERVICES_LIB_LINK_CLOUD_EVENTS_H_
#define SKERRY_SERVICES_LIB_LINK_CLOUD_EVENTS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/resource_sender.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::link::cloud {

// ---- events ----

struct FrameReceived {
  EdgeFrame frame;
};
// What came does not parse, or breaks a bound of the wire.
struct InvalidFrame {
  absl::Status violation;
};
// The hub took the node in after Admit.
struct Admitted {
  uint64_t epoch = 0;
  absl::Time cloud_time;
};
// The hub can't take the node now (OVERLOADED, DRAINING, or a store that fails).
struct Refused {
  absl::Status status;
  std::string reason;
  absl::Duration retry_after;
};
// The hub won't have this box, however often it dials.
struct Denied {
  absl::Status status;
};
// The node dialled again before this connection had a session.
struct Superseded {};
// The transport ended.
struct LinkClosed {};
// Another session of the node begins.
struct Fence {};
// The hub is going away.
struct Drain {
  absl::Duration retry_after;
};
// A spoke owns these types from now on; former owners of them are being detached.
struct SpokeAttached {
  SpokeId spoke = 0;
  std::vector<std::string> resource_types;
  std::vector<std::string> report_types;
  std::vector<std::string> event_streams;
};
struct SpokeDetached {
  SpokeId spoke = 0;
};
struct Push {
  SpokeId spoke = 0;
  std::string type;
  uint64_t subscription_id = 0;
  Change change;
};
struct ReportDone {
  SpokeId spoke = 0;
  uint64_t sequence = 0;
  absl::Status status;
};
// The spoke is done with the stream's events up to `sequence`, but for the rejected, which it
// refused for good.
struct EventsDone {
  SpokeId spoke = 0;
  EventAck ack;
};
struct SpokeResync {
  SpokeId spoke = 0;
  std::string type;
};
// A user wants a tunnel; it is answered to the user of `tunnel`, a number greater than any before.
struct OpenTunnel {
  uint64_t tunnel = 0;
  std::string type;
  std::string target;
};
// Answers AwaitDrained.
struct Drained {};
// Answers AwaitSync.
struct SyncTurn {};
struct Tick {};

using Event = std::variant<FrameReceived, InvalidFrame, Admitted, Refused, Denied, Superseded,
                           LinkClosed, Fence, Drain, SpokeAttached, SpokeDetached, Push, ReportDone,
                           EventsDone, SpokeResync, QueueCommand, SendCommand, DropCommand,
                           OpenTunnel, tunnel::FromUser, Drained, SyncTurn, Tick>;

// ---- effects ----

struct NodeConnected {};
struct NodeDisconnected {
  std::string reason;
};
struct Subscribed {
  Subscribe subscribe;
};
struct Unsubscribed {
  std::string type;
  uint64_t subscription_id = 0;
};
struct PushDone {
  std::string type;
  uint64_t subscription_id = 0;
  std::vector<PushOutcome> outcomes;
};
struct NodeReport {
  Report report;
};
struct NodeEvents {
  EventBatch batch;
};
using SpokeMessage = std::variant<NodeConnected, NodeDisconnected, Subscribed, Unsubscribed,
                                  PushDone, NodeReport, NodeEvents>;

// The Hello is good: answer with Admitted, Refused or Denied.
struct Admit {
  Hello hello;
};
struct Send {
  CloudFrame frame;
};
// Answer with Drained, once, when the transport has taken all that was sent.
struct AwaitDrained {};
// Answer with SyncTurn, once, when the node may be asked to sync anew (link-11.4).
struct AwaitSync {};
struct ToSpoke {
  SpokeId spoke = 0;
  SpokeMessage message;
};
// The session's epoch is on the box's disk: the hub remembers that.
struct EpochStored {};
// End the transport with this status after what was sent. The machine is done: it has no further
// effects.
struct Close {
  absl::Status status;
  std::string reason;  // As in NodeDisconnected.
};
// Something was dropped, or a rule had to act; counted by the hub.
enum class Incident {
  kStalePush,        // Of a subscription that was replaced, or not from the owner.
  kInvalidPush,      // Refused by a bound.
  kStaleAck,         // Of a subscription that was replaced.
  kStaleReportDone,  // Of a report that this session doesn't have with that spoke.
  kStaleEventsDone,  // Of events that this session doesn't have with that spoke.
  kOverflow,         // A subscription's queue was dropped.
  kStaleTunnel,      // A frame of a tunnel that is over.
  kDeferred,         // Something that can wait began to wait for the node's budget.
};
struct Count {
  Incident incident = Incident::kStalePush;
};
using Effect =
    std::variant<Admit, Send, AwaitDrained, AwaitSync, ToSpoke, CommandDue, CommandReceived,
                 tunnel::ToUser, EpochStored, CompressionBytes, Close, Count>;

}  // namespace skerry::link::cloud

#endif  // SKERRY_SERVICES_LIB_LINK_CLOUD_EVENTS_H_
