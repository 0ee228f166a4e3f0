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
      return std::min(heartbeat_.NextWake(), budget_.NextWake());
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
  compress_ = config_.compression && frame.accepts_deflate;
  heartbeat_interval_ = IntervalFor(frame.heartbeat_interval_max);
  budget_ = ByteBudget(frame.down_limit);
  if (budget_.limited()) tunnels_.Pace();
  Emit(cloud::Admit{std::move(frame)});
}

void CloudSession::Receive(EpochStored) {
  if (epoch_stored_) return Fail(Violation("link-2.5", "a second EpochStored"));
  epoch_stored_ = true;
  Emit(cloud::EpochStored{});
}

void CloudSession::Receive(Heartbeat frame) {
  if (frame.interval != absl::ZeroDuration()) {
    heartbeat_interval_ = IntervalFor(frame.interval);
    heartbeat_.Start(heartbeat_interval_, now_);
    return Send(Heartbeat{heartbeat_interval_});
  }
  if (heartbeat_.AnswerDue(now_)) Send(Heartbeat{});
}

absl::Duration CloudSession::IntervalFor(absl::Duration asked) const {
  if (asked == absl::ZeroDuration()) return config_.heartbeat_interval;
  return std::min(config_.heartbeat_interval, std::max(asked, kHeartbeatIntervalMin));
}

void CloudSession::On(cloud::Admitted event) {
  if (phase_ != Phase::kAdmitting) return;
  phase_ = Phase::kOpen;
  epoch_ = event.epoch;
  heartbeat_.Start(heartbeat_interval_, now_);
  Send(Welcome{epoch_, heartbeat_interval_, config_.hub, event.cloud_time, config_.compression});
  for (SpokeId spoke : spokes_) ToSpoke(spoke, cloud::NodeConnected{});
}

void CloudSession::On(cloud::Refused event) {
  Send(GoAway{event.reason, event.retry_after});
  End(event.status, event.reason);
}

void CloudSession::On(cloud::Superseded) {
  End(Error(absl::StatusCode::kAborted, "the node dialled again").Reason("SESSION_FENCED"),
      "FENCED");
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
  if (!budget_.waiting() || !budget_.Open(now_)) return;
  budget_.StopWaiting(now_);
  Pump();
}

void CloudSession::End(absl::Status status, absl::string_view reason) {
  if (phase_ == Phase::kOpen) {
    for (SpokeId spoke : spokes_) ToSpoke(spoke, cloud::NodeDisconnected{std::string(reason)});
  }
  tunnels_.EndAll(Error(absl::StatusCode::kUnavailable,
                        absl::StrCat("the link to the node has ended: ", reason))
                      .Reason("TUNNEL_LINK_LOST"));
  EmitTunnels();
  phase_ = Phase::kClosed;
  Emit(cloud::Close{std::move(status), std::string(reason)});
  chunks_.Clear();
  due_commands_.clear();
  received_chunks_.Clear();
  subscriptions_.clear();
  reports_.clear();
  events_.clear();
}

void CloudSession::Send(CloudFrame frame) {
  heartbeat_.Sent(now_);
  transport_bytes_ += FrameBytes(frame);
  budget_.Spend(FrameBytes(frame), now_);
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
  for (const std::string& stream : event.event_streams) {
    event_owners_[stream] = event.spoke;
    EventOwnerChanged(stream);
  }
}

void CloudSession::On(cloud::SpokeDetached event) {
  spokes_.erase(event.spoke);
  for (const std::string& type : Disown(resource_owners_, event.spoke))
    ResourceOwnerChanged(type, 0);
  for (const std::string& type : Disown(report_owners_, event.spoke)) ReportOwnerChanged(type);
  for (const std::string& stream : Disown(event_owners_, event.spoke)) EventOwnerChanged(stream);
}

std::vector<std::string> CloudSession::Disown(Owners& owners, SpokeId spoke) {
  std::vector<std::string> types;
  for (auto it = owners.begin(); it != owners.end();) {
    if (it->second != spoke) {
      ++it;
      continue;
    }
    types.push_back(it->first);
    it = owners.erase(it);
  }
  return types;
}

SpokeId CloudSession::OwnerOf(const Owners& owners, const std::string& type) const {
  auto it = owners.find(type);
  return it == owners.end() ? 0 : it->second;
}

}  // namespace skerry::link
