// Learns how long the line to the hub may be idle.
#ifndef SKERRY_SERVICES_LIB_LINK_KEEPALIVE_H_
#define SKERRY_SERVICES_LIB_LINK_KEEPALIVE_H_

#include "absl/time/time.h"

namespace skerry::link {

// A NAT or a firewall may forget a connection that is idle for less than the heartbeat interval:
// then every idle interval costs the session. This asks for a shorter interval where sessions end
// so, and tries a longer one when none has for a while (link-3.7, link-3.8, ADR 23). A part of the
// node's machine, over all its sessions: used by its thread.
class Keepalive {
 public:
  // Idle time that sessions must outlive at an interval before the next longer one is tried. Each
  // trial that fails doubles it, one that holds for as long sets it back.
  static constexpr absl::Duration kTrialAfterMin = absl::Hours(1);
  static constexpr absl::Duration kTrialAfterMax = absl::Hours(24);
  // Something else than its idleness ends a session that has outlived so many idle intervals.
  static constexpr int kOutlivedMax = 20;

  // What the node asks the hub for; 0: the hub's own interval will do.
  absl::Duration asked() const { return asked_; }

  // The hub says, in Welcome or later, that this interval holds from now on.
  void Holds(absl::Duration interval);
  // A frame goes out after the line was idle, both ways, for this long.
  void Sent(absl::Duration idle);
  void Heard();
  // The session ended in silence, or by an error of the connection. True where that teaches a
  // shorter interval, which asked() then is.
  bool Lost();
  // What the heartbeat that goes out now asks for; mostly 0.
  absl::Duration Try();

 private:
  absl::Duration asked_;
  absl::Duration interval_;  // Holds now, or did in the last session.
  absl::Duration idle_;      // Before what is not answered yet; 0 where the line was not idle.
  int outlived_ = 0;         // Idle intervals of this session.
  absl::Duration proven_;    // Idle time that sessions have outlived at this interval.
  absl::Duration former_;    // The interval before the one that is on trial; 0 without a trial.
  absl::Duration trial_after_ = kTrialAfterMin;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_KEEPALIVE_H_
