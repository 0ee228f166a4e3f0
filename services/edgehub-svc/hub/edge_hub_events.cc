// The hub's streams of events: from the spokes into their store, from there to the cloud.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/lib/base/error.h"

namespace skerry::edgehub {
namespace {

namespace edge = link::edge;

constexpr absl::Duration kStoreRetry = absl::Seconds(5);

}  // namespace

void EdgeHub::DeclareStreams(link::SpokeId spoke, const std::vector<EventStream>& streams) {
  for (const EventStream& stream : streams) {
    absl::Status declared = events_.Declare(stream);
    // The spoke learns it from the answer to what it puts.
    if (!declared.ok()) {
      log_.Error("a stream of events can't be kept", declared, {{"stream", stream.name}});
      continue;
    }
    spokes_.at(spoke).event_streams.insert(stream.name);
    // What waits goes by its priority from now on.
    const StreamStats stats = events_.stats()[stream.name];
    if (stats.entries != 0) {
      Feed(edge::EventStored{stream.name, stats.priority, stats.last_sequence});
    }
  }
  metrics_.Streams(events_.stats());
}

void EdgeHub::PutEvents(link::SpokeId spoke, uint64_t request_id, std::vector<NewEvent> events,
                        absl::AnyInvocable<void()> after) {
  executor_.Post([this, put = WaitingEvents{spoke, request_id, std::move(events),
                                            std::move(after)}]() mutable {
    absl::Status allowed = CheckPut(put);
    if (!allowed.ok()) {
      SendTo(put.spoke, EventsStored{put.request_id, 0, std::move(allowed)});
      return put.after();
    }
    waiting_events_.push_back(std::move(put));
    // All that is queued by now goes into one commit: it costs as much as that of one event.
    if (waiting_events_.size() == 1) executor_.Post([this] { StoreWaitingEvents(); });
  });
}

absl::Status EdgeHub::CheckPut(const WaitingEvents& put) const {
  const NewEvent& first = put.events.front();
  auto it = spokes_.find(put.spoke);
  if (it == spokes_.end()) return absl::CancelledError("the spoke is gone");
  if (it->second.event_streams.count(first.stream) == 0)
    return InvalidField("stream", first.stream, "register it as a stream of events")
        .Reason("STREAM_UNREGISTERED");
  for (const WaitingEvents& other : waiting_events_) {
    const NewEvent& theirs = other.events.front();
    if (other.spoke != put.spoke || theirs.stream != first.stream ||
        theirs.producer != first.producer)
      continue;
    // Else what is refused of that one could be overtaken by this one.
    return Error(absl::StatusCode::kFailedPrecondition,
                 "the answer to the last PutEvents of this stream and producer is outstanding")
        .Reason("PUT_OUTSTANDING");
  }
  return absl::OkStatus();
}

void EdgeHub::StoreWaitingEvents() {
  std::vector<WaitingEvents> waiting = std::exchange(waiting_events_, {});
  std::vector<NewEvent> events;
  for (WaitingEvents& put : waiting) {
    // The moved-from ones still count.
    std::move(put.events.begin(), put.events.end(), std::back_inserter(events));
  }
  const std::map<std::string, StreamStats> before = events_.stats();
  absl::StatusOr<EventStore::Appended> appended = events_.Append(events);
  if (!appended.ok()) StoreFailed("events", appended.status());
  size_t next = 0;
  for (WaitingEvents& put : waiting) {
    EventsStored answer{put.request_id, 0, appended.status()};
    for (size_t i = 0; i < put.events.size(); ++i, ++next) {
      if (!answer.status.ok()) continue;
      const absl::StatusOr<uint64_t>& outcome = appended->outcomes[next];
      answer.status = outcome.status();
      if (!outcome.ok()) continue;
      ++answer.stored;
      metrics_.EventStored(*outcome != 0);
    }
    if (GetErrorInfo(answer.status).reason == "STREAM_FULL") metrics_.EventsRefused();
    SendTo(put.spoke, std::move(answer));
    put.after();
  }
  if (!appended.ok()) return;
  for (const auto& [stream, count] : appended->dropped) {
    metrics_.EventsDropped("full", count);
    log_.Warning("the oldest events of a stream made room for new ones",
                 {{"stream", stream}, {"events", count}});
  }
  FeedStreams(before);
}

// Tells the machine of the streams whose last event is another than `before`.
void EdgeHub::FeedStreams(const std::map<std::string, StreamStats>& before) {
  const std::map<std::string, StreamStats> now = events_.stats();
  metrics_.Streams(now);
  for (const auto& [name, stats] : now) {
    auto old = before.find(name);
    if (stats.entries == 0 ||
        (old != before.end() && old->second.last_sequence == stats.last_sequence))
      continue;
    Feed(edge::EventStored{name, stats.priority, stats.last_sequence});
  }
}

void EdgeHub::Perform(edge::FetchEvents effect) {
  absl::StatusOr<EventStore::Page> page =
      events_.Read(effect.stream, effect.after, effect.count_max, effect.bytes_max);
  if (page.ok()) {
    executor_.Post([this, effect, page = *std::move(page)]() mutable {
      Feed(edge::EventsFetched{
          effect.connection, {effect.stream, std::move(page.events)}, page.more});
    });
    return;
  }
  StoreFailed("events", page.status());
  executor_.PostAfter(kStoreRetry, [this, effect] {
    Feed(edge::EventsFetched{effect.connection, {effect.stream, {}}, true});
  });
}

void EdgeHub::Perform(edge::TrimEvents effect) {
  for (const link::Rejection& rejection : effect.ack.rejections) {
    log_.Warning("the cloud refused an event", rejection.status,
                 {{"stream", effect.ack.stream}, {"sequence", rejection.sequence}});
  }
  metrics_.EventsDropped("rejected", static_cast<int64_t>(effect.ack.rejections.size()));
  // A trim that fails is made good by the next: at worst events are sent again.
  absl::Status status = events_.Trim(effect.ack.stream, effect.ack.sequence);
  if (!status.ok()) StoreFailed("events", status);
  metrics_.Streams(events_.stats());
}

void EdgeHub::Perform(edge::AwaitDrained effect) {
  if (link_ != nullptr && link_connection_ == effect.connection) link_->AwaitDrained();
}

void EdgeHub::DropExpiredEvents() {
  absl::StatusOr<std::map<std::string, int64_t>> dropped = events_.DropExpired();
  if (!dropped.ok()) return StoreFailed("events", dropped.status());
  for (const auto& [stream, count] : *dropped) {
    metrics_.EventsDropped("expired", count);
    log_.Warning("events were dropped that the cloud did not take in time",
                 {{"stream", stream}, {"events", count}});
  }
  metrics_.Streams(events_.stats());
}

}  // namespace skerry::edgehub
