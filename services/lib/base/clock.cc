#include "services/lib/base/clock.h"

#include <chrono>

namespace skerry {

void Clock::AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                       absl::Duration deadline) {
  mutex.AwaitWithTimeout(condition, deadline - Monotonic());
}

absl::Time SystemClock::Now() { return absl::Now(); }

absl::Duration SystemClock::Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace skerry
