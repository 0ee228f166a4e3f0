// When to send a heartbeat, and when the peer is dead.
#ifndef SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_
#define SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_

#include <algorithm>

#include "absl/time/time.h"

namespace skerry::link {

// One end of one session. A part of the session machines: used by their thread. Times are
// monotonic.
class HeartbeatClock {
 public:
  // Silent until Start.
  void Start(absl::Duration interval, absl::Duration now) {
    interval_ = interval;
    sent_ = received_ = now;
  }
  void Sent(absl::Duration now) { sent_ = now; }
  void Received(absl::Duration now) { received_ = now; }

  // Nothing was sent for an interval.
  bool SendDue(absl::Duration now) const { return now - sent_ >= interval_; }
  // Nothing was received for two intervals.
  bool PeerDead(absl::Duration now) const { return now - received_ >= 2 * interval_; }
  absl::Duration NextWake() const { return std::min(sent_ + interval_, received_ + 2 * interval_); }
  absl::Duration last_received() const { return received_; }

 private:
  absl::Duration interval_ = absl::InfiniteDuration();
  absl::Duration sent_;
  absl::Duration received_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_HEARTBEAT_H_
