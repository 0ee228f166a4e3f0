// The classes of traffic of a CloudSession: resource sync, report and event.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/cloud_session.h"

namespace skerry::link {

// ---- resource sync ----

void CloudSession::ResourceOwnerChanged(const std::string& type, SpokeId spoke) {
  auto it = subscriptions_.find(type);
  if (it == subscriptions_.end()) return;
  // What the former owner queued is void, and only the node knows what it holds by now (link-4.4).
  it->second.forwarded = false;
  it->second.sender.Overflow();
  if (spoke != 0) AskResync(it->second);
}

// Asks once per subscription, when it is this node's turn: the answer is a new one.
void CloudSession::AskResync(Subscription& subscription) {
  if (subscription.resync_sent) return;
  subscription.resync_due = true;
  if (!std::exchange(awaiting_sync_, true)) Emit(cloud::AwaitSync{});
}

void CloudSession::On(cloud::SyncTurn) {
  awaiting_sync_ = false;
  for (auto& [type, subscription] : subscriptions_) {
    if (!std::exchange(subscription.resync_due, false)) continue;
    subscription.resync_sent = true;
    Send(Resync{type});
  }
}

CloudSession::Sync CloudSession::sync() const {
  if (awaiting_sync_ || last_subscription_ids_.empty()) return Sync::kAwaited;
  for (const auto& [type, subscription] : subscriptions_) {
    if (subscription.resync_sent || (subscription.forwarded && !subscription.sender.synced()))
      return Sync::kUnderWay;
  }
  return Sync::kDone;
}

void CloudSession::Receive(Subscribe frame) {
  uint64_t& last_id = last_subscription_ids_[frame.type];
  auto it = subscriptions_.find(frame.type);
  if (it != subscriptions_.end() && it->second.more && frame.subscription_id == last_id) {
    it->second.more = frame.more;
  } else {
    if (frame.subscription_id <= last_id) {
      return Fail(Violation("link-4.1", absl::StrCat("subscription ", frame.subscription_id, " of ",
                                                     frame.type, " after ", last_id)));
    }
    if (last_subscription_ids_.size() > kSubscriptionsMax) {
      return Fail(
          Violation("link-7.4", absl::StrCat("more than ", kSubscriptionsMax, " subscriptions")));
    }
    last_id = frame.subscription_id;
    if (it != subscriptions_.end()) subscriptions_.erase(it);
    it =
        subscriptions_.emplace(frame.type, Subscription{ResourceSender(frame.type, last_id)}).first;
    it->second.more = frame.more;
    it->second.forwarded = OwnerOf(resource_owners_, frame.type) != 0;
  }
  // Holdings are not kept: an owner that comes later, or in the middle of them, has the node asked
  // anew.
  if (!it->second.forwarded) return;
  const SpokeId owner = OwnerOf(resource_owners_, frame.type);
  ToSpoke(owner, cloud::Subscribed{std::move(frame)});
}

void CloudSession::Receive(Unsubscribe frame) {
  auto it = subscriptions_.find(frame.type);
  if (it == subscriptions_.end() || it->second.sender.subscription_id() != frame.subscription_id) {
    return Fail(Violation(
        "link-4.2", absl::StrCat("no subscription ", frame.subscription_id, " of ", frame.type)));
  }
  const bool forwarded = it->second.forwarded;
  subscriptions_.erase(it);
  if (!forwarded) return;
  ToSpoke(OwnerOf(resource_owners_, frame.type),
          cloud::Unsubscribed{frame.type, frame.subscription_id});
}

void CloudSession::On(cloud::Push event) {
  auto it = subscriptions_.find(event.type);
  if (it == subscriptions_.end() || !it->second.forwarded ||
      it->second.sender.subscription_id() != event.subscription_id ||
      OwnerOf(resource_owners_, event.type) != event.spoke) {
    return Count(cloud::Incident::kStalePush);
  }
  Subscription& subscription = it->second;
  const Change& change = event.change;
  const bool named = change.kind == Change::Kind::kSynced || !change.key.empty();
  if (!named || change.key.size() > kKeyBytesMax || change.version.size() > kVersionBytesMax ||
      change.object.size() > kObjectBytesMax) {
    Count(cloud::Incident::kInvalidPush);
    absl::Status status =
        Error(absl::StatusCode::kInvalidArgument, "key, version or object is beyond its bound")
            .Reason(change.object.size() > kObjectBytesMax ? "OBJECT_TOO_LARGE" : "KEY_INVALID");
    return ToSpoke(
        event.spoke,
        cloud::PushDone{event.type, event.subscription_id, {{change.key, change.version, status}}});
  }
  if (subscription.sender.overflowed()) return;
  subscription.sender.Push(std::move(event.change));
  Pump();
  if (unsent_bytes() <= config_.unsent_bytes_max) return;
  Count(cloud::Incident::kOverflow);
  subscription.sender.Overflow();
  if (!subscription.sender.in_flight()) AskResync(subscription);
}

void CloudSession::On(cloud::SpokeResync event) {
  auto it = subscriptions_.find(event.type);
  if (it == subscriptions_.end() || OwnerOf(resource_owners_, event.type) != event.spoke) {
    return Count(cloud::Incident::kStalePush);
  }
  it->second.sender.Overflow();
  AskResync(it->second);
}

void CloudSession::Receive(ResourceAck frame) {
  auto it = subscriptions_.find(frame.type);
  const uint64_t current = it == subscriptions_.end() ? 0 : it->second.sender.subscription_id();
  if (frame.subscription_id != current) {
    auto last = last_subscription_ids_.find(frame.type);
    if (last == last_subscription_ids_.end() || frame.subscription_id > last->second) {
      return Fail(
          Violation("link-4.8", absl::StrCat("ack of subscription ", frame.subscription_id, " of ",
                                             frame.type, ", which was never opened")));
    }
    return Count(cloud::Incident::kStaleAck);
  }
  absl::StatusOr<std::vector<PushOutcome>> outcomes = it->second.sender.Ack(frame);
  if (!outcomes.ok()) return Fail(outcomes.status());
  Subscription& subscription = it->second;
  if (!outcomes->empty() && subscription.forwarded) {
    ToSpoke(OwnerOf(resource_owners_, frame.type),
            cloud::PushDone{frame.type, current, *std::move(outcomes)});
  }
  // A node that was too slow is asked anew only when it has stored what is under way (link-4.10).
  if (subscription.sender.overflowed() && subscription.forwarded &&
      !subscription.sender.in_flight()) {
    AskResync(subscription);
  }
  Pump();
}

size_t CloudSession::unsent_bytes() const {
  size_t bytes = chunks_.bytes();
  for (const auto& [type, subscription] : subscriptions_)
    bytes += subscription.sender.unsent_bytes();
  return bytes;
}

std::vector<std::string> CloudSession::subscribed_types() const {
  std::vector<std::string> types;
  for (const auto& [type, subscription] : subscriptions_) types.push_back(type);
  return types;
}

// ---- report ----

void CloudSession::Receive(Report frame) {
  auto it = reports_.find(frame.type);
  if (it == reports_.end()) {
    if (reports_.size() >= kReportTypesMax) {
      return Fail(
          Violation("link-7.5", absl::StrCat("more than ", kReportTypesMax, " types of reports")));
    }
    it = reports_.emplace(frame.type, ReportReceiver(frame.type)).first;
  }
  absl::Status status = it->second.Receive(std::move(frame));
  if (!status.ok()) return Fail(std::move(status));
  PumpReports(it->first, it->second);
}

void CloudSession::ReportOwnerChanged(const std::string& type) {
  auto it = reports_.find(type);
  if (it == reports_.end()) return;
  it->second.OwnerLost();
  PumpReports(type, it->second);
}

void CloudSession::PumpReports(const std::string& type, ReportReceiver& receiver) {
  const SpokeId owner = OwnerOf(report_owners_, type);
  if (owner != 0) {
    for (Report& report : receiver.TakeForOwner())
      ToSpoke(owner, cloud::NodeReport{std::move(report)});
  }
  AckReports(receiver);
}

void CloudSession::AckReports(ReportReceiver& receiver) {
  std::optional<ReportAck> ack = receiver.TakeAck();
  if (!ack.has_value()) return;
  const std::string flow = "report " + ack->type;
  SendRanked(Rank::kState, flow, *std::move(ack));
  Pump();
}

void CloudSession::On(cloud::ReportDone event) {
  for (auto& [type, receiver] : reports_) {
    if (OwnerOf(report_owners_, type) != event.spoke ||
        !receiver.Done(event.sequence, event.status))
      continue;
    return AckReports(receiver);
  }
  Count(cloud::Incident::kStaleReportDone);
}

// ---- event ----

void CloudSession::Receive(EventBatch frame) {
  auto it = events_.find(frame.stream);
  if (it == events_.end()) {
    if (events_.size() >= kEventStreamsMax) {
      return Fail(Violation("link-7.6",
                            absl::StrCat("more than ", kEventStreamsMax, " streams of events")));
    }
    it = events_.emplace(frame.stream, EventReceiver(frame.stream)).first;
  }
  absl::Status status = it->second.Receive(std::move(frame.events));
  if (!status.ok()) return Fail(std::move(status));
  PumpEvents(it->first, it->second);
}

void CloudSession::EventOwnerChanged(const std::string& stream) {
  auto it = events_.find(stream);
  if (it == events_.end()) return;
  it->second.OwnerLost();
  PumpEvents(stream, it->second);
}

void CloudSession::PumpEvents(const std::string& stream, EventReceiver& receiver) {
  const SpokeId owner = OwnerOf(event_owners_, stream);
  if (owner == 0) return;
  std::vector<StreamEvent> events = receiver.TakeForOwner();
  if (!events.empty()) ToSpoke(owner, cloud::NodeEvents{{stream, std::move(events)}});
}

void CloudSession::On(cloud::EventsDone event) {
  auto it = events_.find(event.ack.stream);
  if (it == events_.end() || OwnerOf(event_owners_, event.ack.stream) != event.spoke ||
      !it->second.Done(event.ack.sequence)) {
    return Count(cloud::Incident::kStaleEventsDone);
  }
  const std::string flow = "event " + event.ack.stream;
  SendRanked(Rank::kTelemetry, flow, std::move(event.ack));
  Pump();
}

}  // namespace skerry::link
