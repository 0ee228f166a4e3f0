// The kubelet's back-off between attempts at the same thing.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_BACKOFF_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_BACKOFF_H_

#include <algorithm>

#include "absl/time/time.h"

namespace skerry::edged {

// 10 s, doubled at each failure up to 5 min; forgotten when the next failure comes 10 min or more
// after the last. A value: copy it, store its two fields.
struct Backoff {
  static constexpr absl::Duration kInitial = absl::Seconds(10);
  static constexpr absl::Duration kMax = absl::Minutes(5);

  absl::Duration delay = absl::ZeroDuration();  // Zero: nothing failed yet.
  absl::Time last_update = absl::UnixEpoch();

  // When the next attempt may be made after one that failed at `failed`; not later than `now` where
  // nothing was held back yet, and where `failed` lies in the future: then the clock was set back
  // and tells nothing.
  absl::Time NextAttempt(absl::Time failed, absl::Time now) const {
    if (delay == absl::ZeroDuration() || failed > now || Expired(failed))
      return std::min(failed, now);
    return failed + delay;
  }
  // An attempt after the failure at `failed` begins now (containers), or one has failed now
  // (images).
  void Next(absl::Time failed, absl::Time now) {
    delay = delay == absl::ZeroDuration() || Expired(failed) ? kInitial : std::min(delay * 2, kMax);
    last_update = now;
  }
  bool operator==(const Backoff&) const = default;

 private:
  bool Expired(absl::Time at) const { return at - last_update > 2 * kMax; }
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_BACKOFF_H_
