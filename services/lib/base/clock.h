// Time as a dependency, so that tests need none of the real kind.
#ifndef SKERRY_SERVICES_LIB_BASE_CLOCK_H_
#define SKERRY_SERVICES_LIB_BASE_CLOCK_H_

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace skerry {

// Any thread may call it.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock; may jump. For timestamps that people or other machines read.
  virtual absl::Time Now() = 0;
  // Time since an arbitrary instant, never goes back. For timeouts, backoff and ages.
  virtual absl::Duration Monotonic() = 0;
  // Waits, with `mutex` held before and after, until `condition` holds or Monotonic() reaches
  // `deadline`.
  virtual void AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                          absl::Duration deadline);
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  absl::Time Now() override;
  absl::Duration Monotonic() override;
};

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_CLOCK_H_
