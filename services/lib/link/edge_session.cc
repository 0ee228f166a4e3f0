#include "services/lib/link/edge_session.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::link {
namespace {

// "HEARTBEAT_LOST", or the message where no reason came along.
std::string ReasonOf(const absl::Status& status) {
  std::string reason = GetErrorInfo(status).reason;
  if (!reason.empty()) return reason;
  return status.ok() ? "the hub closed the link" : std::string(status.message());
}

// After so much idleness the transport itself asks whether the peer is there (ChannelOptions).
constexpr absl::Duration kTransportAsksAfter = absl::Seconds(30);

absl::Status CheckInterval(absl::Duration interval) {
  if (interval >= absl::Milliseconds(10) && interval <= absl::Hours(1)) return absl::OkStatus();
  return Violation("link-3.1", "the heartbeat interval is outside 10 ms to 1 h");
}

}  // namespace

EdgeSession::EdgeSession(Config config)
    : config_(std::move(config)),
      backoff_(config_.backoff_base, config_.backoff_max, config_.seed),
      stored_epoch_(config_.hello.stored_epoch),
      budget_(config_.up_limit) {
  if (budget_.limited()) tunnels_.Pace();
}

std::vector<edge::Effect> EdgeSession::Step(edge::Event event, absl::Duration now) {
  now_ = now;
  std::visit([this](auto& e) { On(std::move(e)); }, event);
  return std::exchange(effects_, {});
}

absl::Duration EdgeSession::NextWake() const {
  switch (phase_) {
    case Phase::kWaiting:
      return std::min(dial_at_, commands_.NextWake());
    case Phase::kAwaitWelcome:
      return std::min(dialed_at_ + config_.welcome_timeout, commands_.NextWake());
    case Phase::kConnected:
      return std::min({heartbeat_.NextWake(), commands_.NextWake(), budget_.NextWake(),
                       unjoined_.empty() ? absl::InfiniteDuration() : unjoined_.begin()->second});
    default:
      return absl::InfiniteDuration();
  }
}

std::vector<EdgeSession::TypeStatus> EdgeSession::types() const {
  std::vector<TypeStatus> types;
  for (const auto& [type, resource] : resources_) {
    types.push_back(
        {type, resource.spoke, resource.receiver.synced(), resource.receiver.last_sequence()});
  }
  return types;
}

// ---- session ----

void EdgeSession::On(edge::Start) {
  if (phase_ == Phase::kIdle) Dial();
}

void EdgeSession::On(edge::Stop) {
  const Phase phase = std::exchange(phase_, Phase::kIdle);
  commands_.Disconnected();
  if (phase == Phase::kIdle || phase == Phase::kWaiting) return;
  EndTunnels(Error(absl::StatusCode::kUnavailable, "the hub of the box is going away")
                 .Reason("TUNNEL_LINK_LOST"));
  Emit(edge::CloseLink{connection_, absl::OkStatus()});
}

void EdgeSession::Dial() {
  phase_ = Phase::kAwaitWelcome;
  dialed_at_ = now_;
  retry_after_ = absl::ZeroDuration();
  Emit(edge::Dial{++connection_});
  Hello hello = config_.hello;
  hello.stored_epoch = stored_epoch_;
  hello.heartbeat_interval_max = keepalive_.asked();
  hello.accepts_deflate = config_.compression;
  Send(std::move(hello));
}

void EdgeSession::On(edge::Tick) {
  commands_.Tick(now_);
  FlushCommands();
  if (phase_ == Phase::kWaiting && now_ >= dial_at_) return Dial();
  if (phase_ == Phase::kAwaitWelcome && now_ - dialed_at_ >= config_.welcome_timeout) {
    return Hangup(Error(absl::StatusCode::kDeadlineExceeded, "the hub did not answer in time")
                      .Reason("WELCOME_TIMEOUT"));
  }
  if (phase_ != Phase::kConnected) return;
  if (heartbeat_.PeerDead(now_)) {
    return Hangup(
        Error(absl::StatusCode::kUnavailable, "nothing was heard from the hub for two heartbeats")
            .Reason("HEARTBEAT_LOST"));
  }
  RefuseUnjoined();
  if (heartbeat_.SendDue(now_)) Send(Heartbeat{keepalive_.Try()});
  if (!budget_.waiting() || !budget_.Open(now_)) return;
  budget_.StopWaiting(now_);
  PumpResponses();
  Pump();
}

void EdgeSession::On(edge::FrameReceived event) {
  if (event.connection != connection_ ||
      (phase_ != Phase::kAwaitWelcome && phase_ != Phase::kConnected)) {
    return Count(edge::Incident::kStaleConnection);
  }
  const bool first = phase_ == Phase::kAwaitWelcome;
  const bool allowed =
      std::holds_alternative<Welcome>(event.frame) || std::holds_alternative<GoAway>(event.frame);
  if (first && !allowed) return Hangup(Violation("link-1.3", "a frame before Welcome"));
  if (!first) {
    heartbeat_.Received(now_);
    keepalive_.Heard();
    // The session is of use: the next dial starts from the shortest wait again.
    if (!std::holds_alternative<GoAway>(event.frame)) backoff_.Reset();
  }
  std::visit([this](auto& frame) { Receive(std::move(frame)); }, event.frame);
}

void EdgeSession::Receive(Welcome frame) {
  if (phase_ == Phase::kConnected) return Hangup(Violation("link-1.3", "a second Welcome"));
  if (frame.epoch <= epoch_) {
    return Hangup(Error(absl::StatusCode::kFailedPrecondition,
                        absl::StrCat("epoch ", frame.epoch, " is not above ", epoch_,
                                     ", that of an earlier session"))
                      .Reason("STALE_EPOCH"));
  }
  if (absl::Status status = CheckInterval(frame.heartbeat_interval); !status.ok())
    return Hangup(std::move(status));
  compress_ = config_.compression && frame.accepts_deflate;
  phase_ = Phase::kConnected;
  epoch_ = frame.epoch;
  down_reason_.clear();
  heartbeat_.Start(frame.heartbeat_interval, now_);
  keepalive_.Holds(frame.heartbeat_interval);
  Emit(edge::StoreEpoch{epoch_});
  Emit(edge::Connected{std::move(frame)});
  for (const auto& [spoke, types] : spokes_) ToSpoke(spoke, edge::LinkState{true, ""});
  for (auto& [type, resource] : resources_) RequestSubscription(type, resource);
  fetching_ = draining_ = false;
  transport_bytes_ = 0;
  reading_command_ = false;
  for (Lane& lane : lanes_) lane.sender.Restart();
  commands_.Connected();
  FlushCommands();
}

void EdgeSession::Receive(Heartbeat frame) {
  if (frame.interval == absl::ZeroDuration()) return;
  if (absl::Status status = CheckInterval(frame.interval); !status.ok())
    return Hangup(std::move(status));
  if (frame.interval != heartbeat_.interval())
    Emit(edge::IntervalAdapted{heartbeat_.interval(), frame.interval});
  heartbeat_.Start(frame.interval, now_);
  keepalive_.Holds(frame.interval);
}

void EdgeSession::On(edge::EpochStored event) {
  stored_epoch_ = event.epoch;
  if (connected() && event.epoch == epoch_) Send(EpochStored{});
}

void EdgeSession::Receive(GoAway frame) {
  retry_after_ = std::clamp(frame.retry_after, absl::ZeroDuration(), config_.backoff_max);
  // The hub says when: what failed before tells no more.
  if (retry_after_ > absl::ZeroDuration()) backoff_.Reset();
  moved_ = connected() && frame.reason == "DRAINING";
  Hangup(Error(absl::StatusCode::kUnavailable, "the hub asked to go away").Reason(frame.reason));
}

void EdgeSession::On(edge::LinkClosed event) {
  if (event.connection != connection_ ||
      (phase_ != Phase::kAwaitWelcome && phase_ != Phase::kConnected))
    return;
  if (const absl::Duration idle = heartbeat_.Idle(now_); connected() && idle >= kTransportAsksAfter)
    keepalive_.Sent(idle);
  Down(std::move(event.status));
}

void EdgeSession::On(edge::InvalidFrame event) {
  if (event.connection == connection_ && (phase_ == Phase::kAwaitWelcome || connected())) {
    Hangup(std::move(event.violation));
  }
}

void EdgeSession::Hangup(absl::Status status) {
  Emit(edge::CloseLink{connection_, status});
  Down(std::move(status));
}

void EdgeSession::Down(absl::Status status) {
  const bool was_connected = phase_ == Phase::kConnected;
  const absl::Duration silence =
      was_connected ? now_ - heartbeat_.last_received() : now_ - dialed_at_;
  phase_ = Phase::kWaiting;
  down_reason_ = ReasonOf(status);
  // link-6.5: to go where the hub sends it is no failure, neither before the wait nor after.
  const bool moved = std::exchange(moved_, false);
  if (moved) backoff_.Reset();
  const absl::Duration wait = retry_after_ + backoff_.Next();
  if (moved) backoff_.Reset();
  dial_at_ = now_ + wait;
  if (was_connected) LearnFrom(status);
  Emit(edge::Disconnected{std::move(status), wait, was_connected, silence});
  for (auto& [type, resource] : resources_) resource.receiver.Close();
  chunks_.Clear();
  budget_.StopWaiting(now_);
  received_chunks_.Clear();
  commands_.Disconnected();
  EndTunnels(Error(absl::StatusCode::kUnavailable,
                   absl::StrCat("the link to the cloud has ended: ", down_reason_))
                 .Reason("TUNNEL_LINK_LOST"));
  if (!was_connected) return;
  for (const auto& [spoke, types] : spokes_) ToSpoke(spoke, edge::LinkState{false, down_reason_});
}

void EdgeSession::LearnFrom(const absl::Status& status) {
  // Silence or an error of the connection: not what the hub said.
  const std::string reason = GetErrorInfo(status).reason;
  if (!absl::IsUnavailable(status) || (!reason.empty() && reason != "HEARTBEAT_LOST")) return;
  if (keepalive_.Lost()) Emit(edge::IntervalAdapted{heartbeat_.interval(), keepalive_.asked()});
}

void EdgeSession::Send(EdgeFrame frame) {
  if (connected()) keepalive_.Sent(heartbeat_.Idle(now_));
  heartbeat_.Sent(now_);
  transport_bytes_ += FrameBytes(frame);
  budget_.Spend(FrameBytes(frame), now_);
  Emit(edge::Send{std::move(frame)});
}

void EdgeSession::ToSpoke(SpokeId spoke, edge::SpokeMessage message) {
  Emit(edge::ToSpoke{spoke, std::move(message)});
}

void EdgeSession::Count(edge::Incident incident) { Emit(edge::Count{incident}); }

// ---- spokes ----

void EdgeSession::On(edge::SpokeAttached event) {
  std::set<SpokeId> replaced;
  for (const std::string& type : event.resource_types) {
    auto it = resources_.find(type);
    if (it != resources_.end() && it->second.spoke != event.spoke)
      replaced.insert(it->second.spoke);
  }
  for (const auto& [spoke, report_types] : spokes_) {
    for (const std::string& type : report_types) {
      const auto& mine = event.report_types;
      if (std::find(mine.begin(), mine.end(), type) != mine.end()) replaced.insert(spoke);
    }
  }
  for (const std::string& type : event.tunnel_types) {
    auto it = tunnel_takers_.find(type);
    if (it != tunnel_takers_.end()) replaced.insert(it->second);
  }
  for (const std::string& type : event.command_types) {
    if (const SpokeId taker = commands_.TakerOf(type); taker != 0) replaced.insert(taker);
  }
  for (SpokeId spoke : replaced) {
    Emit(edge::CloseSpoke{
        spoke, Error(absl::StatusCode::kAborted, "another spoke registered a type of this one")
                   .Reason("SPOKE_REPLACED")});
    spokes_.erase(spoke);
    DetachTypes(spoke);
  }
  if (absl::Status status = commands_.Attached(event.spoke, event.command_types); !status.ok()) {
    Emit(edge::CloseSpoke{event.spoke, std::move(status)});
    return FlushCommands();
  }
  spokes_[event.spoke] = event.report_types;
  for (const std::string& type : event.tunnel_types) tunnel_takers_[type] = event.spoke;
  ToSpoke(event.spoke, edge::LinkState{connected(), connected() ? "" : down_reason_});
  for (const std::string& type : event.resource_types) {
    Resource& resource =
        resources_.emplace(type, Resource{ResourceReceiver(type), 0}).first->second;
    resource.spoke = event.spoke;
    if (connected()) RequestSubscription(type, resource);
  }
  FlushCommands();
}

void EdgeSession::On(edge::SpokeDetached event) {
  if (spokes_.erase(event.spoke) != 0) DetachTypes(event.spoke);
}

void EdgeSession::DetachTypes(SpokeId spoke) {
  commands_.Detached(spoke);
  FlushCommands();
  std::erase_if(tunnel_takers_, [&](const auto& entry) { return entry.second == spoke; });
  for (auto it = resources_.begin(); it != resources_.end();) {
    if (it->second.spoke != spoke) {
      ++it;
      continue;
    }
    const ResourceReceiver& receiver = it->second.receiver;
    if (connected() && receiver.open()) {
      SendRanked(Rank::kSync, SyncFlow(it->first), Unsubscribe{it->first, receiver.requested_id()});
      Pump();
    }
    it = resources_.erase(it);
  }
}

EdgeSession::Resource* EdgeSession::Owned(SpokeId spoke, const std::string& type) {
  auto it = resources_.find(type);
  return it == resources_.end() || it->second.spoke != spoke ? nullptr : &it->second;
}

}  // namespace skerry::link
