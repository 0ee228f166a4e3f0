// The classes of traffic of an EdgeSession: resource sync, report and event.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/edge_session.h"

namespace skerry::link {

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
  Send(std::move(event.subscribe));
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
  Send(std::move(event.ack));
}

// ---- what goes up from the journal ----

EdgeSession::Lane* EdgeSession::FindLane(bool events, const std::string& name) {
  auto it = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
    return lane.events == events && lane.name == name;
  });
  return it == lanes_.end() ? nullptr : &*it;
}

EdgeSession::Lane& EdgeSession::LaneOf(Rank rank, bool events, const std::string& name) {
  Lane* lane = FindLane(events, name);
  if (lane != nullptr) return *lane;
  auto after = std::find_if(lanes_.begin(), lanes_.end(),
                            [rank](const Lane& other) { return other.rank > rank; });
  JournalSender sender = events ? JournalSender("link-9.5", absl::StrCat("events of ", name),
                                                {kEventWindowCount, kEventWindowBytes})
                                : JournalSender("link-5.5", absl::StrCat("reports of ", name),
                                                {kReportWindowCount, kReportWindowBytes});
  return *lanes_.insert(after, Lane{rank, events, name, std::move(sender)});
}

void EdgeSession::Pump() {
  if (!connected() || fetching_) return;
  if (transport_bytes_ >= config_.transport_bytes_max) {
    if (!std::exchange(draining_, true)) Emit(edge::AwaitDrained{connection_});
    return;
  }
  for (auto it = lanes_.begin(); it != lanes_.end(); ++it) {
    std::optional<JournalSender::Fetch> fetch = it->sender.NextFetch();
    if (!fetch.has_value()) continue;
    it->sender.Fetching();
    fetching_ = true;
    const size_t bytes = std::min(fetch->bytes_max, config_.transport_bytes_max - transport_bytes_);
    if (it->events) {
      Emit(edge::FetchEvents{connection_, it->name, fetch->after,
                             std::min(fetch->count_max, kEventsPerFrameMax), bytes});
    } else {
      Emit(edge::FetchReports{connection_, it->name, fetch->after, fetch->count_max, bytes});
    }
    // The next turn is another's of the same rank.
    auto end = std::find_if(it, lanes_.end(),
                            [rank = it->rank](const Lane& other) { return other.rank > rank; });
    std::rotate(it, it + 1, end);
    return;
  }
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
  Pump();
  tunnels_.Drained();
  FlushTunnels();
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
    Send(std::move(report));
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
  if (!event.batch.events.empty()) Send(std::move(event.batch));
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
