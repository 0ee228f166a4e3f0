// A line and the devices on it.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_BUS_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_BUS_H_

#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/mappers/modbus/core/endpoint.h"
#include "services/mappers/modbus/port.h"
#include "services/mappers/modbus/turn_queue.h"

namespace skerry::mapper::modbus {

// Opened for the first request, and anew after it was lost. Any thread may call it: requests run
// one at a time, in the order in which they came. `clock` outlives it.
//
// On a serial line an answer that comes after its timeout would be taken for that to the slave's
// next request, whose own would come late then, and so on. So a slave that did not answer, or not
// readably, is left alone for as long as a timeout once more, and what came is thrown away; others
// on the line need not wait.
class Bus {
 public:
  struct Call {
    int slave = 0;
    absl::Duration patience;  // For everything: the turn, opening, each attempt.
    absl::Duration timeout;   // Of one attempt.
    int retries = 0;
  };
  // Returns 0 or an errno.
  using Request = absl::FunctionRef<int(Port& port, absl::Duration timeout)>;

  Bus(const Line& line, Clock& clock) : line_(line), clock_(clock), turns_(clock) {}

  const Line& line() const { return line_; }

  // What the last attempt returned. RESOURCE_EXHAUSTED / BUS_BUSY where the turn did not come while
  // there was time for an attempt; errors of Port::Open.
  absl::StatusOr<int> Run(const Call& call, Request request);

 private:
  absl::StatusOr<int> RunInTurn(const Call& call, absl::Duration deadline, Request request);
  absl::Status Busy() const;
  void ExpectLateAnswers(const Call& call);
  // For so long answers of the slave may come to what nobody waits for any more.
  absl::Duration LateFor(int slave);
  void AwaitSilence();

  const Line line_;
  Clock& clock_;
  TurnQueue turns_;
  absl::Mutex mutex_;
  std::map<int, absl::Duration> late_until_ ABSL_GUARDED_BY(mutex_);  // By slave: up to 247.
  // Of who has the turn.
  std::unique_ptr<Port> port_;
  absl::Duration last_request_ = -absl::InfiniteDuration();  // Its end.
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_BUS_H_
