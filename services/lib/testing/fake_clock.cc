#include "services/lib/testing/fake_clock.h"

#include <vector>

#include "absl/time/civil_time.h"

namespace skerry::testing {

FakeClock::FakeClock()
    : FakeClock(absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone())) {}

FakeClock::FakeClock(absl::Time start) : now_(start), monotonic_(absl::Seconds(1000)) {}

absl::Time FakeClock::Now() {
  absl::MutexLock lock(&mutex_);
  return now_;
}

absl::Duration FakeClock::Monotonic() {
  absl::MutexLock lock(&mutex_);
  return monotonic_;
}

void FakeClock::AwaitUntil(absl::Mutex& mutex, const absl::Condition& condition,
                           absl::Duration deadline) {
  std::list<absl::Mutex*>::iterator self;
  {
    absl::MutexLock lock(&mutex_);
    self = waiters_.insert(waiters_.end(), &mutex);
  }
  struct Until {
    FakeClock* clock;
    const absl::Condition* condition;
    absl::Duration deadline;
  } until{this, &condition, deadline};
  mutex.Await(absl::Condition(
      +[](Until* u) { return u->condition->Eval() || u->clock->Monotonic() >= u->deadline; },
      &until));
  absl::MutexLock lock(&mutex_);
  waiters_.erase(self);
}

void FakeClock::Advance(absl::Duration by) {
  std::vector<absl::Mutex*> wake;
  {
    absl::MutexLock lock(&mutex_);
    now_ += by;
    monotonic_ += by;
    wake.assign(waiters_.begin(), waiters_.end());
  }
  // A mutex looks at its waiters' conditions when it is released. Not under mutex_, which they
  // take.
  for (absl::Mutex* mutex : wake) {
    mutex->Lock();
    mutex->Unlock();
  }
}

void FakeClock::SetNow(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  now_ = now;
}

}  // namespace skerry::testing
