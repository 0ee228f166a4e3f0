// Who is next on a line.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_TURN_QUEUE_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_TURN_QUEUE_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"

namespace skerry::mapper::modbus {

// First come, first served, which a mutex does not promise. Any thread may call it; as many wait as
// there are threads, one a device.
class TurnQueue {
 public:
  explicit TurnQueue(Clock& clock) : clock_(clock) {}

  // False where the turn does not come within `patience`; without any it may still be free.
  bool Enter(absl::Duration patience);
  // Of who has the turn.
  void Leave();
  int waiting() const;

 private:
  Clock& clock_;
  mutable absl::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<uint64_t> queue_ ABSL_GUARDED_BY(mutex_);  // The first has the turn.
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_TURN_QUEUE_H_
