// The age of what waits in a store, without the wall clock, which steps.
#ifndef SKERRY_SERVICES_LIB_SQLITE_OPEN_TIME_H_
#define SKERRY_SERVICES_LIB_SQLITE_OPEN_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "services/lib/base/clock.h"

namespace skerry::sqlite {

// For how long a store has been open in all, over every process that opened it. Entries are stamped
// with it and age by it: time switched off does not count. The clock outlives it.
class OpenTime {
 public:
  explicit OpenTime(Clock& clock) : clock_(clock), opened_(clock.Monotonic()) {}

  // What the processes before this one left in the store.
  void Resume(int64_t micros) { earlier_micros_ = micros; }
  int64_t Micros() const {
    return earlier_micros_ + absl::ToInt64Microseconds(clock_.Monotonic() - opened_);
  }
  // For people: when that was, as the wall clock goes now.
  absl::Time WallTime(int64_t micros) const {
    return clock_.Now() - absl::Microseconds(Micros() - micros);
  }

 private:
  Clock& clock_;
  const absl::Duration opened_;
  int64_t earlier_micros_ = 0;
};

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_OPEN_TIME_H_
