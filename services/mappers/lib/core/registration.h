// When a mapper registers with twin-svc.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CORE_REGISTRATION_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CORE_REGISTRATION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/backoff.h"

namespace skerry::mapper {

// Pure, as DeviceCycle. First the health of twin-svc is watched, by a stream that ends with it, and
// the registration follows: so no restart goes unseen, and each is followed by a registration,
// which brings what changed meanwhile. A DeviceManagerService without health (KubeEdge's own) is
// registered with at once; that it was restarted shows in a call that fails.
//
// Events of an attempt that is over are ignored.
class Registration {
 public:
  enum class Action { kNone, kWatch, kRegister };
  struct Result {
    Action action = Action::kNone;
    bool end_watch = false;  // That of the attempt before; first.
  };

  Registration(absl::Duration now, uint64_t seed);

  Result Step(absl::Duration now);  // Time has passed.
  Result OnHealth(uint64_t attempt, bool serving, absl::Duration now);
  Result OnWatchEnded(uint64_t attempt, const absl::Status& status, absl::Duration now);
  Result OnRegistered(uint64_t attempt, const absl::Status& status, absl::Duration now);
  // A report found nobody there.
  Result OnCallFailed(absl::Duration now);

  uint64_t attempt() const { return attempt_; }
  bool up() const { return state_ == State::kUp; }
  // When to Step if nothing happens before; may be infinite.
  absl::Duration wake() const { return wake_; }

 private:
  enum class State { kWaiting, kWatching, kRegistering, kUp };

  Result Register();
  Result Retry(absl::Duration now);

  State state_ = State::kWaiting;
  uint64_t attempt_ = 0;
  absl::Duration wake_;
  link::Backoff backoff_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CORE_REGISTRATION_H_
