// The classes of traffic of an EdgeSession: resource sync, report and event.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/edge_session.h"
#include "services/lib/link/frame_bytes.h"

namespace skerry::link {
namespace {

// Large frames of one rank that wait: one under way, and one that was found large when it was read.
constexpr size_t kChunkedFramesMax = 2;

}  // namespace

// ---- resource sync ----

void EdgeSession::RequestSubscription(const std::string& type, Resource& resource) {
  resource.receiver.Request(next_subscription_id_++);
  ToSpoke(resource.spoke, edge::SubscribeRequest{type, resource.receiver.requested_id()});
}

void EdgeSession::Receive(Resync frame) {
  auto it = resources_.find(frame.type);
  if (it != resources_.end()) RequestSubscription(frame.type, it->second);
}

void EdgeSession::On(edge::SpokeSubscribe event) {
  Resource* resource = Owned(event.spoke, event.subscribe.type);
  if (resource == nullptr) return Count(edge::Incident::kStaleSubscribe);
  absl::StatusOr<bool> current = resource->receiver.Subscribed(event.subscribe);
  if (!current.ok()) {
    Emit(edge::CloseSpoke{event.spoke, current.status()});
    return On(edge::SpokeDetached{event.spoke});
  }
  if (!*current) return Count(edge::Incident::kStaleSubscribe);
  const std::string flow = SyncFlow(event.subscribe.type);
  SendRanked(Rank::kSync, flow, std::move(event.subscribe));
  Pump();
}

void EdgeSession::Receive(ResourceChange frame) {
  auto it = resources_.find(frame.type);
  if (it == resources_.end()) return Count(edge::Incident::kStaleChange);
  absl::StatusOr<bool> current = it->second.receiver.Receive(frame);
  if (!current.ok()) return Hangup(current.status());
  if (!*current) return Count(edge::Incident::kStaleChange);
  ToSpoke(it->second.spoke, std::move(frame));
}

void EdgeSession::On(edge::ResourceDone event) {
  Resource* resource = Owned(event.spoke, event.ack.type);
  if (resource == nullptr) return Count(edge::Incident::kStaleDone);
  absl::StatusOr<bool> current = resource->receiver.Done(event.ack);
  if (!current.ok()) {
    Emit(edge::CloseSpoke{event.spoke, current.status()});
    return On(edge::SpokeDetached{event.spoke});
  }
  if (!*current) return Count(edge::Incident::kStaleDone);
  const std::string flow = SyncFlow(event.ack.type);
  SendRanked(Rank::kSync, flow, std::move(event.ack));
  Pump();
}

// ---- what goes up from the journal ----

EdgeSession::Lane* EdgeSession::FindLane(bool events, const std::string& name) {
  auto it = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
    return lane.events == events && lane.name == name;
  });
  return it == lanes_.end() ? nullptr : &*it;
}

EdgeSession::Lane& EdgeSession::LaneOf(Rank rank, bool events, const std::string& name) {
  Lane* found = FindLane(events, name);
  if (found != nullptr && found->rank == rank) return *found;
  if (found == nullptr) {
    JournalSender sender = events ? JournalSender("link-9.5", absl::StrCat("events of ", name),
                                                  {kEventWindowCount, kEventWindowBytes})
                                  : JournalSender("link-5.5", absl::StrCat("reports of ", name),
                                                  {kReportWindowCount, kReportWindowBytes});
    const std::string flow = absl::StrCat(events ? "event " : "report ", name);
    return *lanes_.insert(EndOfRank(lanes_.begin(), rank),
                          Lane{rank, events, name, flow, std::move(sender)});
  }
  // It was registered anew, with another priority.
  Lane lane = std::move(*found);
  lanes_.erase(lanes_.begin() + (found - lanes_.data()));
  lane.rank = rank;
  return *lanes_.insert(EndOfRank(lanes_.begin(), rank), std::move(lane));
}

EdgeSession::LaneIterator EdgeSession::EndOfRank(LaneIterator from, Rank rank) {
  return std::find_if(from, lanes_.end(), [rank](const Lane& lane) { return lane.rank > rank; });
}

void EdgeSession::SendRanked(Rank rank, const std::string& flow, EdgeFrame frame) {
  if (compress_) frame = Compress(rank, std::move(frame));
  if (const auto* compressed = std::get_if<Compressed>(&frame))
    Emit(BytesOf(*compressed, /*sent=*/true));
  if (FrameBytes(frame) <= kChunkBytesMax && !chunks_.Holds(flow)) return Send(std::move(frame));
  chunks_.Add(rank, flow, Serialize(std::move(frame)));
}

EdgeSession::LaneIterator EdgeSession::NextLane() {
  return std::find_if(lanes_.begin(), lanes_.end(), [this](const Lane& lane) {
    return lane.sender.NextFetch().has_value() && !chunks_.Holds(lane.flow) &&
           chunks_.frames(lane.rank) < kChunkedFramesMax;
  });
}

bool EdgeSession::TransportFull() {
  if (transport_bytes_ < config_.transport_bytes_max) return false;
  if (!std::exchange(draining_, true)) Emit(edge::AwaitDrained{connection_});
  return true;
}

void EdgeSession::Pump() {
  while (connected() && !fetching_) {
    Turn turn{NextLane(), chunks_.First(), tunnels_.paced() && tunnels_.Ready()};
    if (turn.lane == lanes_.end() && !turn.chunk.has_value() && !turn.tunnel) return;
    if (TransportFull() || !WithinBudget(turn)) return;
    Take(turn);
  }
}

bool EdgeSession::WithinBudget(Turn& turn) {
  if (budget_.Open(now_)) {
    if (budget_.waiting()) {
      budget_.StopWaiting(now_);
      PumpResponses();  // They may be what waits.
    }
    return true;
  }
  const bool lane_waits = turn.lane != lanes_.end() && turn.lane->rank != Rank::kAlarm;
  const bool chunk_waits = turn.chunk.has_value() && *turn.chunk != Rank::kAlarm;
  if (lane_waits || chunk_waits || turn.tunnel) Defer();
  if (lane_waits) turn.lane = lanes_.end();  // Lanes of alarms come first: there is none.
  if (chunk_waits)
    turn.chunk = chunks_.frames(Rank::kAlarm) == 0 ? std::nullopt : std::optional(Rank::kAlarm);
  turn.tunnel = false;
  return turn.lane != lanes_.end() || turn.chunk.has_value();
}

void EdgeSession::Defer() {
  if (budget_.Wait(now_)) Count(edge::Incident::kDeferred);
}

void EdgeSession::Take(const Turn& turn) {
  const auto& [lane, chunk, tunnel] = turn;
  // Chunks and reads of one rank take turns, so that what is small passes what is large.
  const bool chunk_first = chunk.has_value() && (lane == lanes_.end() || *chunk < lane->rank ||
                                                 (*chunk == lane->rank && !chunk_sent_));
  // So do tunnels with telemetry.
  const bool others = chunk_first || lane != lanes_.end();
  const Rank rank = chunk_first ? *chunk : others ? lane->rank : Rank::kBulk;
  tunnel_sent_ =
      tunnel && (!others || rank > Rank::kTelemetry || (rank == Rank::kTelemetry && !tunnel_sent_));
  if (tunnel_sent_) {
    tunnels_.SendNext();
    return EmitTunnels();
  }
  chunk_sent_ = chunk_first;
  if (!chunk_first) return Fetch(lane);
  Send(chunks_.Next(*chunk));
  PumpResponses();
}

void EdgeSession::Fetch(LaneIterator lane) {
  const JournalSender::Fetch fetch = *lane->sender.NextFetch();
  lane->sender.Fetching();
  fetching_ = true;
  size_t bytes = std::min(fetch.bytes_max, config_.transport_bytes_max - transport_bytes_);
  if (lane->rank != Rank::kAlarm) bytes = std::min(bytes, budget_.ReadBytesMax(now_));
  if (lane->events) {
    Emit(edge::FetchEvents{connection_, lane->name, fetch.after,
                           std::min(fetch.count_max, kEventsPerFrameMax), bytes});
  } else {
    Emit(edge::FetchReports{connection_, lane->name, fetch.after, fetch.count_max, bytes});
  }
  // The next turn is another's of the same rank.
  std::rotate(lane, lane + 1, EndOfRank(lane, lane->rank));
}

void EdgeSession::Fetched(Lane& lane, bool more) {
  lane.sender.Fetched(more);
  fetching_ = false;
  Pump();
}

void EdgeSession::On(edge::Drained event) {
  if (event.connection != connection_) return;
  draining_ = false;
  transport_bytes_ = 0;
  tunnels_.Drained();
  PumpResponses();
  Pump();
  FlushTunnels();
}

void EdgeSession::Receive(Chunk frame) {
  absl::StatusOr<std::optional<std::string>> bytes = received_chunks_.Receive(frame);
  if (!bytes.ok()) return Hangup(bytes.status());
  if (!bytes->has_value()) return;
  absl::StatusOr<CloudFrame> complete = ParseCloudFrame(**bytes);
  if (!complete.ok()) return Hangup(complete.status());
  std::visit([this](auto& part) { Receive(std::move(part)); }, *complete);
}

void EdgeSession::Receive(const Compressed& frame) {
  if (!config_.compression) return Hangup(Violation("link-13.2", "compression was not accepted"));
  absl::StatusOr<CloudFrame> plain = UncompressCloudFrame(frame);
  if (!plain.ok()) return Hangup(plain.status());
  Emit(BytesOf(frame, /*sent=*/false));
  std::visit([this](auto& part) { Receive(std::move(part)); }, *plain);
}

// ---- report ----

void EdgeSession::On(edge::ReportStored event) {
  LaneOf(Rank::kState, false, event.type).sender.Stored(event.sequence);
  Pump();
}

void EdgeSession::On(edge::ReportsFetched event) {
  Lane* lane = FindLane(false, event.type);
  if (event.connection != connection_ || !connected() || lane == nullptr) return;
  for (Report& report : event.reports) {
    lane->sender.Sent(report.sequence, ReportBytes(report));
    SendRanked(lane->rank, lane->flow, std::move(report));
  }
  Fetched(*lane, event.more);
}

void EdgeSession::Receive(ReportAck frame) {
  Lane* lane = FindLane(false, frame.type);
  if (lane == nullptr) {
    return Hangup(Violation(
        "link-5.5", absl::StrCat("ack of reports of ", frame.type, ", which were never sent")));
  }
  absl::Status status = lane->sender.Ack(frame.sequence);
  if (!status.ok()) return Hangup(std::move(status));
  Emit(edge::TrimReports{frame.type, frame.sequence, std::move(frame.rejections)});
  Pump();
}

// ---- event ----

void EdgeSession::On(edge::EventStored event) {
  const Rank rank = event.priority == EventPriority::kAlarm       ? Rank::kAlarm
                    : event.priority == EventPriority::kTelemetry ? Rank::kTelemetry
                                                                  : Rank::kBulk;
  LaneOf(rank, true, event.stream).sender.Stored(event.sequence);
  Pump();
}

void EdgeSession::On(edge::EventsFetched event) {
  Lane* lane = FindLane(true, event.batch.stream);
  if (event.connection != connection_ || !connected() || lane == nullptr) return;
  for (const StreamEvent& entry : event.batch.events)
    lane->sender.Sent(entry.sequence, EventBytes(entry));
  if (!event.batch.events.empty()) SendRanked(lane->rank, lane->flow, std::move(event.batch));
  Fetched(*lane, event.more);
}

void EdgeSession::Receive(EventAck frame) {
  Lane* lane = FindLane(true, frame.stream);
  if (lane == nullptr) {
    return Hangup(Violation(
        "link-9.5", absl::StrCat("ack of events of ", frame.stream, ", which were never sent")));
  }
  absl::Status status = lane->sender.Ack(frame.sequence);
  if (!status.ok()) return Hangup(std::move(status));
  Emit(edge::TrimEvents{std::move(frame)});
  Pump();
}

}  // namespace skerry::link
