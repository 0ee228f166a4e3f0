#include "services/lib/link/cloud_session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::link {

CloudSession::CloudSession(const Config& config, absl::Duration now)
    : config_(config), started_(now), now_(now) {}

std::vector<cloud::Effect> CloudSession::Step(cloud::Event event, absl::Duration now) {
  now_ = now;
  if (phase_ != Phase::kClosed) {
    std::visit([this](auto& e) { On(std::move(e)); }, event);
  }
  return std::exchange(effects_, {});
}

absl::Duration CloudSession::NextWake() const {
  switch (phase_) {
    case Phase::kAwaitHello:
      return started_ + config_.hello_timeout;
    case Phase::kOpen:
      return heartbeat_.NextWake();
    default:
      return absl::InfiniteDuration();
  }
}

// ---- session ----

void CloudSession::On(cloud::FrameReceived event) {
  if (phase_ == Phase::kAwaitHello && !std::holds_alternative<Hello>(event.frame)) {
    return Fail(Violation("link-1.2", "the first frame is not Hello"));
  }
  if (phase_ == Phase::kAdmitting) return Fail(Violation("link-1.3", "a frame before Welcome"));
  if (phase_ == Phase::kOpen) heartbeat_.Received(now_);
  std::visit([this](auto& frame) { Receive(std::move(frame)); }, event.frame);
}

void CloudSession::Receive(Hello frame) {
  if (phase_ != Phase::kAwaitHello) return Fail(Violation("link-1.2", "a second Hello"));
  if (frame.protocol_version != kProtocolVersion) {
    return End(Error(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("protocol version ", frame.protocol_version,
                                  " is not served; this hub speaks ", kProtocolVersion))
                   .Reason("PROTOCOL_VERSION_UNSUPPORTED"),
               "PROTOCOL_ERROR");
  }
  phase_ = Phase::kAdmitting;
  Emit(cloud::Admit{std::move(frame)});
}

void CloudSession::On(cloud::Admitted event) {
  if (phase_ != Phase::kAdmitting) return;
  phase_ = Phase::kOpen;
  epoch_ = event.epoch;
  heartbeat_.Start(config_.heartbeat_interval, now_);
  Send(Welcome{epoch_, config_.heartbeat_interval, config_.hub, event.cloud_time});
  for (SpokeId spoke : spokes_) ToSpoke(spoke, cloud::NodeConnected{});
}

void CloudSession::On(cloud::Refused event) {
  Send(GoAway{event.reason, event.retry_after});
  End(event.status, event.reason);
}

void CloudSession::On(cloud::LinkClosed) { End(absl::OkStatus(), "CLOSED"); }

void CloudSession::On(cloud::Fence) {
  Send(GoAway{"FENCED", config_.heartbeat_interval});
  End(Error(absl::StatusCode::kAborted, "another session of this node has begun")
          .Reason("SESSION_FENCED"),
      "FENCED");
}

void CloudSession::On(cloud::Drain event) {
  Send(GoAway{"DRAINING", event.retry_after});
  End(Error(absl::StatusCode::kUnavailable, "the hub is draining").Reason("DRAINING"), "DRAINING");
}

void CloudSession::On(cloud::Tick) {
  if (phase_ == Phase::kAwaitHello && now_ - started_ >= config_.hello_timeout) {
    return End(
        Error(absl::StatusCode::kDeadlineExceeded, "no Hello in time").Reason("HELLO_TIMEOUT"),
        "PROTOCOL_ERROR");
  }
  if (phase_ != Phase::kOpen) return;
  if (heartbeat_.PeerDead(now_)) {
    return End(
        Error(absl::StatusCode::kUnavailable, "nothing was heard from the node for two heartbeats")
            .Reason("HEARTBEAT_LOST"),
        "HEARTBEAT_LOST");
  }
  if (heartbeat_.SendDue(now_)) Send(Heartbeat{});
}

void CloudSession::End(absl::Status status, absl::string_view reason) {
  if (phase_ == Phase::kOpen) {
    for (SpokeId spoke : spokes_) ToSpoke(spoke, cloud::NodeDisconnected{std::string(reason)});
  }
  phase_ = Phase::kClosed;
  Emit(cloud::Close{std::move(status), std::string(reason)});
  subscriptions_.clear();
  reports_.clear();
}

void CloudSession::Send(CloudFrame frame) {
  heartbeat_.Sent(now_);
  Emit(cloud::Send{std::move(frame)});
}

void CloudSession::ToSpoke(SpokeId spoke, cloud::SpokeMessage message) {
  Emit(cloud::ToSpoke{spoke, std::move(message)});
}

void CloudSession::Count(cloud::Incident incident) { Emit(cloud::Count{incident}); }

// ---- spokes ----

void CloudSession::On(cloud::SpokeAttached event) {
  spokes_.insert(event.spoke);
  if (phase_ == Phase::kOpen) ToSpoke(event.spoke, cloud::NodeConnected{});
  for (const std::string& type : event.resource_types) {
    resource_owners_[type] = event.spoke;
    ResourceOwnerChanged(type, event.spoke);
  }
  for (const std::string& type : event.report_types) {
    report_owners_[type] = event.spoke;
    ReportOwnerChanged(type);
  }
}

void CloudSession::On(cloud::SpokeDetached event) {
  spokes_.erase(event.spoke);
  for (auto it = resource_owners_.begin(); it != resource_owners_.end();) {
    if (it->second != event.spoke) {
      ++it;
      continue;
    }
    const std::string type = it->first;
    it = resource_owners_.erase(it);
    ResourceOwnerChanged(type, 0);
  }
  for (auto it = report_owners_.begin(); it != report_owners_.end();) {
    if (it->second != event.spoke) {
      ++it;
      continue;
    }
    const std::string type = it->first;
    it = report_owners_.erase(it);
    ReportOwnerChanged(type);
  }
}

SpokeId CloudSession::OwnerOf(const std::map<std::string, SpokeId>& owners,
                              const std::string& type) const {
  auto it = owners.find(type);
  return it == owners.end() ? 0 : it->second;
}

// ---- resource sync ----

void CloudSession::ResourceOwnerChanged(const std::string& type, SpokeId spoke) {
  auto it = subscriptions_.find(type);
  if (it == subscriptions_.end()) return;
  // What the former owner queued is void, and only the node knows what it holds by now (link-4.4).
  it->second.forwarded = false;
  it->second.sender.Overflow();
  if (spoke != 0) AskResync(type, it->second);
}

// Asks once per subscription: the answer is a new one.
void CloudSession::AskResync(const std::string& type, Subscription& subscription) {
  if (subscription.resync_sent) return;
  subscription.resync_sent = true;
  Send(Resync{type});
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
  Pump(subscription);
  if (unsent_bytes() <= config_.unsent_bytes_max) return;
  Count(cloud::Incident::kOverflow);
  subscription.sender.Overflow();
  if (!subscription.sender.in_flight()) AskResync(event.type, subscription);
}

void CloudSession::On(cloud::SpokeResync event) {
  auto it = subscriptions_.find(event.type);
  if (it == subscriptions_.end() || OwnerOf(resource_owners_, event.type) != event.spoke) {
    return Count(cloud::Incident::kStalePush);
  }
  it->second.sender.Overflow();
  AskResync(event.type, it->second);
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
    AskResync(frame.type, subscription);
  }
  Pump(subscription);
}

void CloudSession::Pump(Subscription& subscription) {
  while (std::optional<ResourceChange> frame = subscription.sender.Next()) Send(*std::move(frame));
}

size_t CloudSession::unsent_bytes() const {
  size_t bytes = 0;
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
  if (std::optional<ReportAck> ack = receiver.TakeAck()) Send(*std::move(ack));
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

}  // namespace skerry::link
