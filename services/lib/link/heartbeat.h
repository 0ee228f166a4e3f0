// When to send a heartbeat, and when the peer is dead.
#ifndef SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_
#define SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_

#include <algorithm>

#include "absl/time/time.h"

namespace skerry::link {

// Intervals of its own silence after which an end sends a heartbeat unasked. The hub has longer: in
// the meantime it mostly answers the node's, which costs one exchange of packets instead of two.
inline constexpr double kNodeSilenceMax = 1;
inline constexpr double kHubSilenceMax = 1.25;

// The shortest that a node may ask for.
inline constexpr absl::Duration kHeartbeatIntervalMin = absl::Seconds(5);

// One end of one session. A part of the session machines: used by their thread. Times are
// monotonic.
class HeartbeatClock {
 public:
  explicit HeartbeatClock(double silence_max) : silence_max_(silence_max) {}

  // Silent until Start.
  void Start(absl::Duration interval, absl::Duration now) {
    interval_ = interval;
    sent_ = received_ = now;
  }
  void Sent(absl::Duration now) { sent_ = now; }
  void Received(absl::Duration now) { received_ = now; }

  // This end has been silent for as long as it may be.
  bool SendDue(absl::Duration now) const { return now >= SendAt(); }
  // Nothing was sent for so long that a heartbeat of the peer is answered.
  bool AnswerDue(absl::Duration now) const { return now - sent_ >= interval_ / 2; }
  // Nothing was received for two intervals.
  bool PeerDead(absl::Duration now) const { return now - received_ >= 2 * interval_; }
  absl::Duration NextWake() const { return std::min(SendAt(), received_ + 2 * interval_); }
  absl::Duration interval() const { return interval_; }
  absl::Duration last_received() const { return received_; }
  // How long nothing has gone either way.
  absl::Duration Idle(absl::Duration now) const { return now - std::max(sent_, received_); }

 private:
  absl::Duration SendAt() const { return sent_ + interval_ * silence_max_; }

  const double silence_max_;
  absl::Duration interval_ = absl::InfiniteDuration();
  absl::Duration sent_;
  absl::Duration received_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_
