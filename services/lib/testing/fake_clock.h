// Time that moves only when a test says so.
#ifndef SKERRY_SERVICES_LIB_TESTING_FAKE_CLOCK_H_
#define SKERRY_SERVICES_LIB_TESTING_FAKE_CLOCK_H_

#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"

namespace skerry::testing {

// Any thread may call it. It outlives what waits on it, and what waits (a SerialExecutor) is not
// destroyed while Advance() runs.
class FakeClock final : public Clock {
 public:
  // Starts at 2026-01-01T00:00:00Z unless told otherwise; Monotonic() starts at 1000 s.
  FakeClock();
  explicit FakeClock(absl::Time start);

  absl::Time Now() override;
  absl::Duration Monotonic() override;
  void AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                  absl::Duration deadline) override;

  // Moves both clocks on and wakes those whose deadline has come.
  void Advance(absl::Duration by);
  // The wall clock jumps (NTP, an operator); Monotonic() stays.
  void SetNow(absl::Time now);

 private:
  absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_);
  std::list<absl::Mutex*> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_TESTING_FAKE_CLOCK_H_
